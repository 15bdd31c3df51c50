/* `contacts`, `contact`, and the changes of one: `contact set`, `tag`, `untag`, `note`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "ctl/desk.h"

enum { LIST_DEFAULT = 50 };

/* ---- contacts ---- */

struct listing {
    struct call *call;
    struct store_contacts list;
    char search[128], attribute[DESK_WORD_BYTES];
};

static void listing_clear(void *own)
{
    store_contacts_clear(&((struct listing *)own)->list);
}

static void on_listed(struct store_op *op, int status)
{
    struct listing *l = container_of(op, struct listing, list.op);
    json_t *rows;

    if (status < 0) {
        call_fail(l->call, status, op->err.text);
        return;
    }
    rows = json_array();
    for (int i = 0; i < l->list.count; i++)
        json_array_append_new(rows, json_contact(&l->list.rows[i]));
    call_ok_page(l->call, "contacts", rows, "after",
                 l->list.more ? json_integer(l->list.rows[l->list.count - 1].id) : NULL);
}

/* "plan=gold", "plan" */
static void set_attribute(struct listing *l, const char *text)
{
    const char *value = strchr(text, '=');

    snprintf(l->attribute, sizeof l->attribute, "%.*s", (int)strcspn(text, "="), text);
    l->list.attribute = l->attribute;
    l->list.value = value ? value + 1 : NULL;
}

void do_contacts(struct call *call)
{
    struct listing *l = call_keep(call, sizeof *l, listing_clear);
    const char *search = call_text(call, "search"), *attribute = call_text(call, "attribute");

    l->call = call;
    l->list = (struct store_contacts){.op.done = on_listed,
                                      .tag = call_text(call, "tag"),
                                      .after = call_number(call, "after", 0),
                                      .limit = (int)call_number(call, "limit", LIST_DEFAULT)};
    if (attribute)
        set_attribute(l, attribute);
    if (search && *search) {
        call_search_number(call, search, l->search, sizeof l->search);
        if (*l->search == '+')
            l->list.prefix = l->search;
        else
            l->list.search = l->search;
    }
    store_contacts(call->ctl->world.store, &l->list);
}

/* ---- contact ---- */

struct showing {
    struct call *call;
    struct store_contact contact;
    char number[NUMBER_BYTES];
};

static void showing_clear(void *own)
{
    store_contact_clear(&((struct showing *)own)->contact);
}

json_t *contact_answer(const struct store_contact *c)
{
    json_t *o = json_contact(&c->row);

    json_object_set_new(o, "consent", json_string(consent_name(c->consent)));
    json_put_time(o, "consent_since", c->consent_wall_ms);
    if (c->others_out)
        json_object_set_new(o, "other_numbers_out", json_words(c->others_out));
    json_object_set_new(o, "conversations", json_integer(c->conversations));
    if (c->live)
        json_object_set_new(o, "conversation", json_integer(c->live));
    return json_pack("{so}", "contact", o);
}

static void on_shown(struct store_op *op, int status)
{
    struct showing *s = container_of(op, struct showing, contact.op);
    struct err e;

    if (status == ERR_NOT_FOUND) {
        err_set(&e, status, "%s is no contact; `simgate contacts` lists them", s->number);
        call_fail(s->call, status, e.text);
    } else if (status < 0) {
        call_fail(s->call, status, op->err.text);
    } else {
        call_ok(s->call, contact_answer(&s->contact));
    }
}

void do_contact(struct call *call)
{
    struct showing *s = call_keep(call, sizeof *s, showing_clear);

    s->call = call;
    if (!call_number_of(call, "number", s->number))
        return;
    s->contact = (struct store_contact){.op.done = on_shown, .number = s->number};
    store_contact(call->ctl->world.store, &s->contact);
}

/* ---- changes ---- */

static void answer_contact(struct contact_change *c)
{
    call_ok(c->call, contact_answer(&c->contact));
}

static struct contact_change *start_change(struct call *call)
{
    struct contact_change *c = change_new(call, answer_contact);

    if (c)
        c->tell_contact = true;
    return c;
}

void do_contact_set(struct call *call)
{
    struct contact_change *c = start_change(call);
    struct err e = {0};
    const char *name;
    json_t *value;

    if (!c)
        return;
    json_object_foreach(json_object_get(call->args, "set"), name, value)
    {
        const char *text = json_string_value(value);

        if (contact_check(name, text, &e) < 0) {
            call_fail(call, e.code, e.text);
            return;
        }
        if (!change_add(
                c, (struct store_effect){.kind = contact_is_field(name) ? EFFECT_CONTACT : EFFECT_ATTRIBUTE,
                                         .name = name,
                                         .value = text}))
            return;
    }
    change_start(c);
}

static void change_tags(struct call *call, enum effect_kind kind)
{
    struct contact_change *c = start_change(call);
    const json_t *tags = json_object_get(call->args, "tags");
    size_t count = json_is_array(tags) ? json_array_size(tags) : 1;
    struct err e = {0};

    if (!c)
        return;
    for (size_t i = 0; i < count; i++) {
        const char *tag = json_string_value(json_is_array(tags) ? json_array_get(tags, i) : tags);

        if (contact_check_tag(tag, &e) < 0) {
            call_fail(call, e.code, e.text);
            return;
        }
        if (!change_add(c, (struct store_effect){.kind = kind, .name = tag}))
            return;
    }
    change_start(c);
}

void do_contact_tag(struct call *call)
{
    change_tags(call, EFFECT_TAG);
}

void do_contact_untag(struct call *call)
{
    change_tags(call, EFFECT_UNTAG);
}

/* A line more, behind what is there. */
static bool fill_note(struct contact_change *c)
{
    const char *was = c->known.contact.notes, *who = c->acting.who;
    struct buf notes = {0};
    struct err e = {0};
    char at[32];
    bool good;

    wall_to_text(rt_wall_ms(c->call->ctl->world.rt), true, at);
    if (was && *was)
        buf_addf(&notes, "%s\n", was);
    buf_addf(&notes, "%.10s %s: %s", at, *c->acting.person ? c->acting.person : strchr(who, ':') + 1,
             call_text(c->call, "text"));
    good = contact_check("notes", buf_str(&notes), &e) == 0;
    if (good)
        change_add(c, (struct store_effect){
                          .kind = EFFECT_CONTACT, .name = "notes", .value = change_keep(c, buf_str(&notes))});
    buf_free(&notes);
    if (!good)
        call_fail(c->call, e.code, e.text);
    return good;
}

void do_contact_note(struct call *call)
{
    struct contact_change *c = start_change(call);

    if (!c)
        return;
    c->fill = fill_note;
    change_start(c);
}
