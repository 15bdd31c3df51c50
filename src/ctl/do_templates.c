/* Templates: those of gateway.conf are shown, those of the store are managed. A change is in the store before
 * the engine has it; gateway.conf's names go before the store's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/util.h"
#include "ctl/desk.h"
#include "engine/template.h"
#include "store/templates.h"

/* What others may be refused for: how many segments its longest form has. */
static void put_segments(json_t *to, const struct template *t, const char *language)
{
    const char *of;
    int segments;

    for (int i = 0; template_segments(t, i, &of, &segments); i++)
        if (strcasecmp(of, language) == 0 && segments > 0)
            json_object_set_new(to, "segments", json_integer(segments));
}

static json_t *json_text_of(const struct template *t, const char *name, const char *language,
                            const char *from)
{
    json_t *o = json_object();

    json_object_set_new(o, "template", json_text(name));
    json_put_text(o, "language", language);
    json_object_set_new(o, "text", json_text(template_source(t, language)));
    json_object_set_new(o, "from", json_text(from));
    put_segments(o, t, language);
    return o;
}

/* ---- list, show ---- */

struct listing {
    struct call *call;
    struct store_templates all;
};

static void listing_clear(void *own)
{
    store_templates_clear(&((struct listing *)own)->all);
}

/* Those of gateway.conf; name NULL: all. */
static void add_configured(const struct engine *en, const char *name, json_t *to)
{
    const char *one, *language;
    int most, segments;
    bool configured;

    for (int i = 0; (one = engine_template_at(en, i, &most)); i++) {
        const struct template *t = engine_template(en, one, &configured);

        if (name && strcmp(one, name) != 0)
            continue;
        for (int k = 0; t && template_segments(t, k, &language, &segments); k++) {
            json_t *o = json_text_of(t, one, language, "gateway.conf");

            if (most > 0)
                json_object_set_new(o, "max_segments", json_integer(most));
            json_array_append_new(to, o);
        }
    }
}

static void add_stored(const struct engine *en, const struct store_templates *all, const char *name,
                       json_t *to)
{
    bool configured;

    for (int i = 0; i < all->count; i++) {
        const struct template_row *r = &all->rows[i];
        const struct template *t = engine_template(en, r->name, &configured);
        json_t *o;

        if (name && strcmp(r->name, name) != 0)
            continue;
        o = json_object();
        json_object_set_new(o, "template", json_text(r->name));
        json_put_text(o, "language", r->language);
        json_object_set_new(o, "text", json_text(r->text));
        json_object_set_new(o, "from", json_text("store"));
        json_put_text(o, "who", r->who);
        json_put_time(o, "changed", r->changed_wall_ms);
        if (configured)
            json_object_set_new(o, "hidden", json_true());
        else if (t)
            put_segments(o, t, r->language);
        json_array_append_new(to, o);
    }
}

static void on_all(struct store_op *op, int status)
{
    struct listing *l = container_of(op, struct listing, all.op);
    const struct engine *en = l->call->ctl->world.engine;
    const char *name = call_text(l->call, "template");
    json_t *list;

    if (status < 0) {
        call_fail(l->call, status, op->err.text);
        return;
    }
    list = json_array();
    add_configured(en, name, list);
    add_stored(en, &l->all, name, list);
    if (name && json_array_size(list) == 0) {
        json_decref(list);
        call_fail(l->call, ERR_NOT_FOUND, "template: there is none of this name");
        return;
    }
    call_ok(l->call, json_pack("{so}", "templates", list));
}

void do_templates(struct call *call)
{
    struct listing *l = call_keep(call, sizeof *l, listing_clear);

    l->call = call;
    l->all.op.done = on_all;
    store_templates(call->ctl->world.store, &l->all);
}

void do_template(struct call *call)
{
    do_templates(call);
}

/* ---- add, edit, remove ---- */

struct putting {
    struct call *call;
    struct acting acting;
    struct store_put_template put;
};

static void on_put(struct store_op *op, int status)
{
    struct putting *p = container_of(op, struct putting, put.op);
    struct engine *en = p->call->ctl->world.engine;
    const struct template *t;
    bool configured;
    json_t *result;

    if (status < 0) {
        call_fail(p->call, status, op->err.text);
        return;
    }
    engine_put_template(en, p->put.name, p->put.language, p->put.text, NULL); /* it was looked at before */
    log_notice(WHO, "template %s %s language=%s by=%s", p->put.name,
               !p->put.text     ? "removed"
               : p->put.existed ? "changed"
                                : "added",
               p->put.language, p->acting.who);
    result = json_object();
    json_object_set_new(result, "template", json_text(p->put.name));
    json_put_text(result, "language", p->put.language);
    t = engine_template(en, p->put.name, &configured);
    if (configured)
        json_object_set_new(result, "hidden", json_true());
    else if (t && p->put.text)
        put_segments(result, t, p->put.language);
    call_ok(p->call, result);
}

static struct putting *putting_new(struct call *call, const char *text)
{
    struct putting *p = call_keep(call, sizeof *p, NULL);

    p->call = call;
    if (!call_acting(call, &p->acting))
        return NULL;
    p->put = (struct store_put_template){.op.done = on_put,
                                         .name = call_text(call, "template"),
                                         .language = call_text(call, "language"),
                                         .text = text,
                                         .who = p->acting.who,
                                         .now_wall_ms = rt_wall_ms(call->ctl->world.rt)};
    if (!p->put.language)
        p->put.language = "";
    return p;
}

static bool is_there(const struct call *call, const char *name, const char *language)
{
    bool configured;
    const struct template *t = engine_template(call->ctl->world.engine, name, &configured);

    return t && !configured && template_source(t, language);
}

/* On a shelf of its own: what is wrong is told before anything is stored. */
static int try_template(const struct putting *p, struct err *e)
{
    struct shelf *shelf = shelf_new();
    int rc = shelf_put(shelf, p->put.name, p->put.language, p->put.text, e);

    shelf_free(shelf);
    return rc;
}

static void put_text(struct call *call, bool edit)
{
    struct putting *p = putting_new(call, call_text(call, "text"));
    struct err e = {0};
    bool there;

    if (!p)
        return;
    if (try_template(p, &e) != 0) {
        call_fail(call, e.code, e.text);
        return;
    }
    there = is_there(call, p->put.name, p->put.language);
    if (there != edit) {
        call_fail(
            call, edit ? ERR_NOT_FOUND : ERR_EXISTS,
            edit ? "template: there is none of this name and language in the store: expected one that was "
                   "added"
                 : "template: it is there already; \"template edit\" changes it");
        return;
    }
    store_put_template(call->ctl->world.store, &p->put);
}

void do_template_add(struct call *call)
{
    put_text(call, false);
}

void do_template_edit(struct call *call)
{
    put_text(call, true);
}

void do_template_remove(struct call *call)
{
    struct putting *p = putting_new(call, NULL);
    struct buf uses = {0};
    char text[ERR_TEXT_BYTES];

    if (!p)
        return;
    if (engine_template_uses(call->ctl->world.engine, p->put.name, &uses) > 0) {
        snprintf(text, sizeof text, "template: used by %.*s: a reply of it would be held; change that first",
                 (int)strcspn(buf_str(&uses), "\n"), buf_str(&uses));
        buf_free(&uses);
        call_fail(call, ERR_REFUSED, text);
        return;
    }
    buf_free(&uses);
    store_put_template(call->ctl->world.store, &p->put);
}

/* ---- preview ---- */

struct preview {
    struct call *call;
    struct store_situation known;
    char number[NUMBER_BYTES], text[DESK_WORD_BYTES + 1];
};

static void preview_clear(void *own)
{
    store_situation_clear(&((struct preview *)own)->known);
}

static void put_plan(const struct preview *p, const char *text, json_t *result)
{
    struct gateway_send s;
    struct segment_plan plan;
    char to[NUMBER_BYTES];
    struct err e = {0};

    gateway_send_init(&s);
    s.to = p->number;
    s.reading = NUMBER_READ_INTERNATIONAL;
    s.text = text;
    if (gateway_preview(p->call->ctl->world.gateway, &s, &plan, to, &e) == 0)
        json_object_set_new(result, "segments", json_integer((json_int_t)plan.count));
    else
        json_object_set_new(result, "problem", json_text(e.text));
}

static void on_contact(struct store_op *op, int status)
{
    struct preview *p = container_of(op, struct preview, known.op);
    struct buf text = {0};
    struct err e = {0};
    json_t *result;
    int rc;

    if (status < 0) {
        call_fail(p->call, status, op->err.text);
        return;
    }
    if (p->known.contact.id == 0) /* nobody yet: the number alone is known */
        str_copy(p->known.contact.number, sizeof p->known.contact.number, p->number);
    rc = engine_render(p->call->ctl->world.engine, p->text, &p->known, call_text(p->call, "language"), &text,
                       &e);
    if (rc < 0) {
        buf_free(&text);
        call_fail(p->call, rc, e.text);
        return;
    }
    result = json_pack("{soso}", "to", json_text(p->number), "text", json_text(buf_str(&text)));
    put_plan(p, buf_str(&text), result);
    buf_free(&text);
    call_ok(p->call, result);
}

void do_template_preview(struct call *call)
{
    struct preview *p = call_keep(call, sizeof *p, preview_clear);

    p->call = call;
    if (!call_number_of(call, "number", p->number))
        return;
    snprintf(p->text, sizeof p->text, "@%s", call_text(call, "template"));
    p->known = (struct store_situation){.op.done = on_contact, .number = p->number, .look_only = true};
    store_situation(call->ctl->world.store, &p->known);
}
