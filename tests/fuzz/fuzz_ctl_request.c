/* A line of the control socket, as any member of the group may write it. What is accepted keeps what the
 * table of requests promises to the handlers. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
    if (!holds)
        abort();
}

static void check_field(const struct field *f, const json_t *v)
{
    int64_t ms;
    int day;

    switch (f->type) {
    case FIELD_TEXT:
    case FIELD_CHOICE:
        require(json_is_string(v));
        break;
    case FIELD_TEXTS:
        require(json_is_string(v) || json_array_size(v) > 0);
        for (size_t i = 0; i < json_array_size(v); i++)
            require(json_is_string(json_array_get(v, i)));
        break;
    case FIELD_NUMBER:
        require(json_is_integer(v) && json_integer_value(v) >= f->min && json_integer_value(v) <= f->max);
        break;
    case FIELD_BOOL:
        require(json_is_boolean(v));
        break;
    case FIELD_DURATION:
        require(str_to_duration_ms(json_string_value(v), &ms));
        break;
    case FIELD_SETTINGS:
        require(json_is_object(v));
        break;
    case FIELD_ROWS:
        require(json_is_array(v));
        break;
    case FIELD_DAY:
        if (day_from_text(json_string_value(v), &day, &day, &day))
            break;
        require(wall_from_text(json_string_value(v), INT64_C(1795253400000), &ms));
        break;
    case FIELD_TIME:
        require(wall_from_text(json_string_value(v), INT64_C(1795253400000), &ms));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct parsed p;
    struct err e = {0};
    int rc = request_parse((const char *)data, size, &p, &e);

    require(!p.id || json_is_integer(p.id) || json_is_string(p.id));
    if (rc < 0) {
        require(e.text[0] != '\0');
    } else {
        for (const struct field *f = p.kind->fields; f->name; f++) {
            const json_t *v = json_object_get(p.args, f->name);

            require(v || !f->required);
            if (v)
                check_field(f, v);
        }
    }
    parsed_clear(&p);
    return 0;
}
