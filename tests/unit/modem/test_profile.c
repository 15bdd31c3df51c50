/* Which profile a modem gets, and what a port is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "modem/profile.h"

static const char *const acme[] = {"acme*", NULL};
static const char *const x_models[] = {"*X[12]*", "Y1", NULL};
static const char *const any_z[] = {"Z*", NULL};

static const struct profile_usb sticks[] = {
    {.vendor = 0x1234, .product = 1, .roles = {[0] = ROLE_DATA, [2] = ROLE_AT, [15] = ROLE_GPS}},
    {.vendor = 0x1234, .product = 2},
};
static const struct profile_class rules[] = {
    {.vendor = 0x1234, .subclass = 2, .protocol = 18, .interface = -1, .role = ROLE_AT},
    {.vendor = 0x1234, .subclass = -1, .protocol = 3, .interface = -1, .role = ROLE_DIAG},
    {.vendor = 0x1234, .subclass = 255, .protocol = 255, .interface = 0, .role = ROLE_DATA},
};
static const struct profile_other_mode disks[] = {
    {.vendor = 0x1234, .product = 9, .mode = PROFILE_MODE_DISK}};

static const struct profile by_vendor = {.name = "vendor",
                                         .manufacturers = acme,
                                         .usb = sticks,
                                         .nusb = ARRAY_LEN(sticks),
                                         .classes = rules,
                                         .nclasses = ARRAY_LEN(rules),
                                         .other_modes = disks,
                                         .nother_modes = ARRAY_LEN(disks)};
static const struct profile by_both = {.name = "both", .manufacturers = acme, .models = x_models};
static const struct profile by_model = {.name = "model", .models = any_z};
static const struct profile *const order[] = {&by_vendor, &by_both, &by_model, &profile_generic};
static const struct profile_set set = {order, ARRAY_LEN(order)};

static const char *family(const struct port_info *port, const char *manufacturer, const char *model)
{
    static char why[100];

    why[0] = '\0';
    const char *name = profile_match(&set, port, manufacturer, model, why, sizeof(why))->name;
    assert_true(*why);
    return name;
}

/* The profile that says most precisely what the modem is wins, wherever it stands; letters' case says
 * nothing.
 */
static void test_precision(void **state)
{
    (void)state;
    assert_string_equal(family(NULL, "ACME Corp.", "A X1 stick"), "both");
    assert_string_equal(family(NULL, "acme", "y1"), "both");
    assert_string_equal(family(NULL, "acme", "Y12"), "vendor");
    assert_string_equal(family(NULL, "acme", "Z9"), "model");
    assert_string_equal(family(NULL, "other", "z9"), "model");
    assert_string_equal(family(NULL, "other", "X1"), "generic");
    assert_string_equal(family(NULL, "", ""), "generic");
}

/* A modem that says nothing known of itself is told by its USB id; one that does, not. */
static void test_usb_id(void **state)
{
    struct port_info port = {.vendor = 0x1234, .product = 2, .interface = 0};
    char why[100];

    (void)state;
    assert_string_equal(family(&port, "", "rebranded"), "vendor");
    profile_match(&set, &port, "", "rebranded", why, sizeof(why));
    assert_string_equal(why, "its USB id is 1234:0002");
    assert_string_equal(family(&port, "other", "Z1"), "model");
    port.product = 3;
    assert_string_equal(family(&port, "", "rebranded"), "generic");
    port = (struct port_info){.interface = -1}; /* not on USB */
    assert_string_equal(family(&port, "", ""), "generic");
}

/* Without any profiles every modem is the generic one. */
static void test_none(void **state)
{
    struct profile_set none = {NULL, 0};
    struct port_info port = {.vendor = 0x1234, .product = 1, .interface = 2, .interface_class = 255};
    const struct profile *found = NULL;
    char why[64];

    (void)state;
    assert_ptr_equal(profile_match(NULL, &port, "acme", "X1", why, sizeof(why)), &profile_generic);
    assert_ptr_equal(profile_match(&none, NULL, "acme", "X1", why, sizeof(why)), &profile_generic);
    assert_int_equal(profile_role_of(NULL, &port), ROLE_UNKNOWN);
    assert_null(profile_other_mode_of(NULL, 0x1234, 9, &found));
    assert_ptr_equal(profile_named(NULL, "generic"), &profile_generic);
    assert_null(profile_named(NULL, "vendor"));
}

/* A family is found by its name. */
static void test_named(void **state)
{
    (void)state;
    assert_ptr_equal(profile_named(&set, "model"), &by_model);
    assert_ptr_equal(profile_named(&set, "generic"), &profile_generic);
    assert_null(profile_named(&set, "Model"));
}

static enum profile_role role(uint16_t product, int interface, uint8_t class, uint8_t subclass,
                              uint8_t protocol)
{
    struct port_info port = {.vendor = 0x1234,
                             .product = product,
                             .interface = interface,
                             .interface_class = class,
                             .interface_subclass = subclass,
                             .interface_protocol = protocol};

    return profile_role_of(&set, &port);
}

/* The id and the interface say what a port is for; where they do not, its class; else it is unknown. */
static void test_roles(void **state)
{
    (void)state;
    assert_int_equal(role(1, 2, 255, 1, 3), ROLE_AT); /* the id before the class */
    assert_int_equal(role(1, 15, 255, 0, 0), ROLE_GPS);
    assert_int_equal(role(1, 1, 255, 2, 18), ROLE_AT); /* nothing said of interface 1 */
    assert_int_equal(role(2, 1, 255, 2, 18), ROLE_AT);
    assert_int_equal(role(7, 1, 255, 7, 3), ROLE_DIAG); /* any subclass, an id that no profile has */
    assert_int_equal(role(7, 0, 255, 255, 255), ROLE_DATA);
    assert_int_equal(role(7, 1, 255, 255, 255), ROLE_UNKNOWN);
    assert_int_equal(role(7, 1, 2, 2, 18), ROLE_UNKNOWN); /* not of class 255 */
    assert_int_equal(role(2, 16, 255, 0, 0), ROLE_UNKNOWN);
    assert_int_equal(role(2, -1, 0, 0, 0), ROLE_UNKNOWN);
}

/* Each role has a word for people. */
static void test_role_names(void **state)
{
    (void)state;
    for (int r = ROLE_UNKNOWN; r <= ROLE_IGNORE; r++)
        assert_true(*profile_role_name((enum profile_role)r));
    assert_string_equal(profile_role_name(ROLE_GPS), "GPS");
}

/* A device in another mode is found with its family. */
static void test_other_mode(void **state)
{
    const struct profile *found = NULL;

    (void)state;
    assert_ptr_equal(profile_other_mode_of(&set, 0x1234, 9, &found), &disks[0]);
    assert_ptr_equal(found, &by_vendor);
    assert_null(profile_other_mode_of(&set, 0x1234, 1, &found));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precision),  cmocka_unit_test(test_usb_id), cmocka_unit_test(test_none),
        cmocka_unit_test(test_named),      cmocka_unit_test(test_roles),  cmocka_unit_test(test_role_names),
        cmocka_unit_test(test_other_mode),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
