/* Profiles: the files that are installed, what is said about a bad one, and what is made from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app/conf.h"
#include "app/profiles.h"
#include "app/udev.h"
#include "base/util.h"
#include "hw/sim/personality.h"

#define SHIPPED "hw/profiles"

/* ---- files of a test's own ---- */

static char folders[2][64]; /* [0] as installed, [1] the user's own */

static int make_folders(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        strcpy(folders[i], "/tmp/simgate-profiles-XXXXXX");
        assert_non_null(mkdtemp(folders[i]));
    }
    return 0;
}

static int remove_folders(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        char command[128];

        snprintf(command, sizeof command, "rm -rf '%s'", folders[i]);
        assert_int_equal(system(command), 0);
    }
    return 0;
}

static void put(int folder, const char *name, const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s.conf", folders[folder], name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static struct profiles *read_both(struct buf *problems)
{
    const char *const list[] = {folders[0], folders[1], NULL};

    return profiles_read(list, problems);
}

static struct profiles *read_shipped(void)
{
    static const char *const list[] = {SHIPPED, NULL};
    struct buf problems = {0};
    struct profiles *p = profiles_read(list, &problems);

    assert_string_equal(buf_str(&problems), "");
    buf_free(&problems);
    return p;
}

#define TITLE "title = \"T\"; sure = \"source\";\n"

/* The file "x" with this text behind TITLE is left out, and what is said holds `line` behind the file's name.
 */
static void refuses(const char *text, const char *line)
{
    struct buf problems = {0};
    char whole[1024], wanted[512];

    snprintf(whole, sizeof whole, TITLE "%s\n", text);
    put(0, "x", whole);
    struct profiles *p = read_both(&problems);
    snprintf(wanted, sizeof wanted, "%s/x.conf%s", folders[0], line);
    if (!strstr(buf_str(&problems), wanted))
        fail_msg("%s: expected \"%s\" in:\n%s", text, wanted, buf_str(&problems));
    assert_null(profile_named(profiles_set(p), "x"));
    profiles_free(p);
    buf_free(&problems);
}

/* ---- the installed ones ---- */

/* Every installed profile is good, says what it is and how sure it is; the built-in one comes last. */
static void test_shipped(void **state)
{
    struct profiles *p = read_shipped();
    const struct profile_set *set = profiles_set(p);

    (void)state;
    assert_in_range(set->count, 21, 100);
    assert_ptr_equal(set->profiles[set->count - 1], &profile_generic);
    for (int i = 0; i < set->count - 1; i++) {
        const struct profile *f = set->profiles[i];

        assert_true(*f->title && *f->sure);
        assert_true(f->manufacturers || f->models || f->nusb);
        assert_non_null(strstr(f->place, f->name));
        assert_true(i == 0 || strcmp(set->profiles[i - 1]->name, f->name) < 0);
    }
    profiles_free(p);
}

/* What the facts say about a stick is what the profile holds: one family, looked at closely. */
static void test_values(void **state)
{
    struct profiles *p = read_shipped();
    const struct profile *f = profile_named(profiles_set(p), "huawei-stick");

    (void)state;
    assert_non_null(f);
    assert_string_equal(f->cnmi[0], "1,1,0,1,0");
    assert_string_equal(f->cnmi_direct[0], "1,2,0,1,0");
    assert_int_equal(f->ack, ACK_ZERO);
    assert_int_equal(f->cmms, CMMS_OFF);
    assert_int_equal(f->ussd_request, CODING_PACKED);
    assert_int_equal(f->quirks, QUIRK_LISTING_UNINTERRUPTED);
    assert_string_equal(f->init[0].text, "AT^CURC=0");
    assert_false(f->init[0].must);
    assert_string_equal(f->tries[0].prefix, "^CPIN:");
    assert_int_equal(f->tries[0].field, 3);
    assert_string_equal(f->wedged[0], "^BOOT");
    assert_null(f->charset);
    f = profile_named(profiles_set(p), "quectel-lpwa");
    assert_int_equal(f->timeout_ms[AT_SEND], 420000);
    assert_int_equal(f->timeout_ms[AT_READ], 0);
    assert_int_equal(f->quirks, QUIRK_SENDS_WITH_500);
    assert_int_equal(f->errors[0].code, 512);
    assert_int_equal(f->errors[0].cls, CARRIER_E_BUSY);
    f = profile_named(profiles_set(p), "telit-4g");
    assert_int_equal(f->gap_ms, 20);
    assert_int_equal(f->probe_tries, 14);
    assert_int_equal(f->quirks, QUIRK_3GPP2_FORMAT);
    profiles_free(p);
}

/* Each quirk's name sets its own flag. */
static void test_quirks(void **state)
{
    static const struct {
        const char *name;
        unsigned flag;
    } quirks[] = {
        {"ok-before-pdu", QUIRK_OK_BEFORE_PDU},       {"sent-without-cmgs", QUIRK_SENT_WITHOUT_CMGS},
        {"sends-with-500", QUIRK_SENDS_WITH_500},     {"deletes-siblings", QUIRK_DELETES_SIBLINGS},
        {"settle-after-pin", QUIRK_SETTLE_AFTER_PIN}, {"cpms-cycle", QUIRK_CPMS_CYCLE},
        {"no-cnma-for-cmt", QUIRK_NO_CNMA_FOR_CMT},   {"listing-uninterrupted", QUIRK_LISTING_UNINTERRUPTED},
        {"3gpp2-format", QUIRK_3GPP2_FORMAT},         {"cme-515-after-send", QUIRK_CME_515_AFTER_SEND},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(quirks); i++) {
        struct buf problems = {0};
        char text[128];

        snprintf(text, sizeof text, TITLE "quirks = [ \"%s\" ];", quirks[i].name);
        put(0, "x", text);
        struct profiles *p = read_both(&problems);
        assert_string_equal(buf_str(&problems), "");
        assert_int_equal(profile_named(profiles_set(p), "x")->quirks, quirks[i].flag);
        profiles_free(p);
        buf_free(&problems);
    }
}

/* A modem is known by what it says of itself, whatever port it stands on; this is said with the reason. */
static void test_recognised(void **state)
{
    static const struct {
        const char *manufacturer, *model, *family;
    } modems[] = {
        {"huawei", "E173", "huawei-stick"},
        {"huawei", "ME909s-120", "huawei-me909"},
        {"Huawei Technologies Co., Ltd.", "MU609", "huawei-me909"},
        {"ZTE INCORPORATED", "MF190", "zte-mf"},
        {"ZTE CORPORATION", "MF626", "zte-mf"},
        {"SIMCOM_Ltd", "SIMCOM_SIM800L", "simcom-2g"},
        {"SIMCOM_Ltd", "SIMCOM_SIM900", "simcom-2g"},
        {"SIMCOM_Ltd", "SIM868", "simcom-2g"},
        {"SIMCOM_Ltd", "SIMCOM_SIM600", "simcom-sim600"},
        {"SIMCOM INCORPORATED", "SIMCOM_SIM7600E-H", "simcom-4g"},
        {"SIMCOM INCORPORATED", "SIMCOM_SIM7000G", "simcom-lpwa"},
        {"SIMCOM INCORPORATED", "SIMCOM_SIM7080G", "simcom-lpwa"},
        {"INCORPORATED", "A7670E-FASE", "simcom-a76xx"},
        {"SIMCOM INCORPORATED", "A7600C-LNSE", "simcom-a76xx"},
        {"Quectel_Ltd", "Quectel_M95", "quectel-2g"},
        {"Quectel", "EC25", "quectel-4g"},
        {"Quectel", "EG25", "quectel-4g"},
        {"QUECTEL", "UC20", "quectel-4g"},
        {"Quectel", "RM500Q-GL", "quectel-4g"},
        {"Quectel", "BG96", "quectel-lpwa"},
        {"Quectel", "BG95-M3", "quectel-lpwa"},
        {"u-blox", "SARA-U270", "ublox-2g3g"},
        {"u-blox", "SARA-R410M-02B", "ublox-lte"},
        {"Telit", "HE910-D", "telit-3g"},
        {"Telit", "LE910C1-EU", "telit-4g"},
        {"SIEMENS", "TC35i", "cinterion"},
        {"SIEMENS", "MC35i", "cinterion"},
        {"Cinterion", "BGS2-W", "cinterion"},
        {"Cinterion", "EHS6", "cinterion"},
        {"SIEMENS", "M20", "siemens-legacy"},
        {"SIEMENS", "SL45", "siemens-legacy"},
        {"Sierra Wireless, Incorporated", "MC7455", "sierra"},
        {" WAVECOM MODEM", " MULTIBAND  900E  1800 ", "wavecom"},
        {"Option N.V.", "GTM382", "option-hso"},
        {"Novatel Wireless Inc", "MC545", "novatel"},
        {"Ericsson", "F3507g", "mbm"},
        {"Multi-Tech", "MTSMC-G2", "multitech"},
        {"Fibocom Wireless Inc.", "L850-GL", "fibocom"},
        {"", "DW5821e", "foxconn-t77w968"},
        {"simgate", "Simulated modem", "generic"},
    };
    struct profiles *p = read_shipped();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(modems); i++) {
        char why[100] = "";
        const struct profile *f =
            profile_match(profiles_set(p), NULL, modems[i].manufacturer, modems[i].model, why, sizeof why);

        if (strcmp(f->name, modems[i].family) != 0)
            fail_msg("\"%s\" \"%s\" is taken for %s, not %s: %s", modems[i].manufacturer, modems[i].model,
                     f->name, modems[i].family, why);
        assert_true(*why);
    }
    profiles_free(p);
}

static enum profile_role simulated_role(const struct profile_set *set, const struct simside_usb *usb,
                                        const struct simside_interface *i)
{
    struct port_info port = {.vendor = usb->vendor,
                             .product = usb->product,
                             .interface = i->number,
                             .interface_class = 255,
                             .interface_subclass = i->subclass,
                             .interface_protocol = i->protocol};

    return profile_role_of(set, &port);
}

/* Each simulated modem is taken for its family, its AT port is the one that the profile names, and no other
 * port is taken for that. */
static void test_simulated_modems(void **state)
{
    static const struct {
        const char *name, *family;
    } modems[] = {
        {"huawei-e173", "huawei-stick"}, {"huawei-me909", "huawei-me909"}, {"zte-mf190", "zte-mf"},
        {"simcom-sim800", "simcom-2g"},  {"simcom-sim7600", "simcom-4g"},  {"simcom-a7670", "simcom-a76xx"},
        {"quectel-m95", "quectel-2g"},   {"quectel-ec25", "quectel-4g"},   {"quectel-bg96", "quectel-lpwa"},
        {"ublox-sara-r4", "ublox-lte"},  {"telit-le910", "telit-4g"},      {"cinterion-bgs2", "cinterion"},
        {"siemens-tc35", "cinterion"},   {"sierra-mc7455", "sierra"},      {"wavecom-q24", "wavecom"},
    };
    struct profiles *p = read_shipped();

    (void)state;
    for (size_t n = 0; n < ARRAY_LEN(modems); n++) {
        const struct personality *row = personality_row(modems[n].name);
        const struct simside_usb *usb = simside_usb_of(modems[n].name);
        char why[100];

        assert_true(row && usb);
        assert_string_equal(
            profile_match(profiles_set(p), NULL, row->manufacturer, row->model, why, sizeof why)->name,
            modems[n].family);
        for (size_t i = 0; i < usb->count; i++) {
            enum profile_role role = simulated_role(profiles_set(p), usb, &usb->interfaces[i]);
            bool at = usb->interfaces[i].kind == SIMSIDE_AT;
            bool fits = role == ROLE_UNKNOWN || at == (role == ROLE_AT) ||
                        (role == ROLE_AT2 && usb->interfaces[i].kind == SIMSIDE_DATA);

            if (!fits)
                fail_msg("%s: interface %d is taken for %s", modems[n].name, usb->interfaces[i].number,
                         profile_role_name(role));
        }
    }
    profiles_free(p);
}

/* Sticks that are no modem now are known for what they are. */
static void test_other_modes(void **state)
{
    struct profiles *p = read_shipped();
    const struct profile *family = NULL;
    const struct profile_other_mode *mode;

    (void)state;
    mode = profile_other_mode_of(profiles_set(p), 0x12d1, 0x1446, &family);
    assert_non_null(mode);
    assert_int_equal(mode->mode, PROFILE_MODE_DISK);
    assert_string_equal(family->name, "huawei-stick");
    mode = profile_other_mode_of(profiles_set(p), 0x12d1, 0x14dc, &family);
    assert_int_equal(mode->mode, PROFILE_MODE_HILINK);
    mode = profile_other_mode_of(profiles_set(p), 0x19d2, 0x2000, &family);
    assert_string_equal(family->name, "zte-mf");
    assert_null(profile_other_mode_of(profiles_set(p), 0x12d1, 0x1001, &family));
    profiles_free(p);
}

/* ---- the collected table of USB ids, where it is ---- */

static int role_of_tag(const char *tag)
{
    static const struct {
        const char *tag;
        enum profile_role role;
    } tags[] = {{"AT_PRIMARY", ROLE_AT},     {"AT_SECONDARY", ROLE_AT2}, {"AT_PPP", ROLE_DATA},
                {"QCDM", ROLE_DIAG},         {"GPS", ROLE_GPS},          {"AUDIO", ROLE_AUDIO},
                {"PORT_IGNORE", ROLE_IGNORE}};

    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        if (!strcmp(tags[i].tag, tag))
            return (int)tags[i].role;
    return -1; /* about something else */
}

static bool is_shipped(const struct profile_set *set, unsigned vendor, unsigned product)
{
    struct port_info port = {.vendor = (uint16_t)vendor, .product = (uint16_t)product, .interface = -1};
    char why[64];

    return profile_match(set, &port, "", "", why, sizeof why) != &profile_generic;
}

/* One line: how many interfaces were compared; 0 for a device that no profile has. */
static int compare_row(const struct profile_set *set, char *line)
{
    char *fields[4] = {0}, *save = NULL;
    int compared = 0;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        fields[i] = strsep(&line, "\t");
    if (!fields[3] || *fields[0] == '#')
        return 0;
    unsigned vendor = (unsigned)strtoul(fields[0], NULL, 16);
    unsigned product = (unsigned)strtoul(fields[1], NULL, 16);

    for (char *at = strtok_r(fields[3], ",", &save); at && is_shipped(set, vendor, product);
         at = strtok_r(NULL, ",", &save)) {
        char *colon = strchr(at, ':');
        int wanted = colon ? role_of_tag(colon + 1) : -1;
        struct port_info port = {
            .vendor = (uint16_t)vendor, .product = (uint16_t)product, .interface = (int)strtol(at, NULL, 16)};

        if (wanted < 0)
            continue;
        if ((int)profile_role_of(set, &port) != wanted)
            fail_msg("%04x:%04x interface %d is %s, expected %s", vendor, product, port.interface,
                     profile_role_name(profile_role_of(set, &port)),
                     profile_role_name((enum profile_role)wanted));
        compared++;
    }
    return compared;
}

/* Where the collected table names an interface of a device that a profile has, the profile says the same. */
static void test_collected_ids(void **state)
{
    const char *shared = getenv("SIMGATE_SHARED");
    char path[512], line[1024];
    int compared = 0;

    (void)state;
    snprintf(path, sizeof path, "%s/facts/usb_ports.tsv", shared ? shared : "../shared");
    FILE *f = fopen(path, "r");
    if (!f) {
        print_message("skipped: no %s\n", path);
        skip();
    }
    struct profiles *p = read_shipped();
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        compared += compare_row(profiles_set(p), line);
    }
    fclose(f);
    profiles_free(p);
    assert_in_range(compared, 300, 2000);
}

/* ---- bad files ---- */

static const char *wrong_value(const struct schema_key *k)
{
    switch (k->type) {
    case SCHEMA_STRING:
    case SCHEMA_ENUM:
    case SCHEMA_PARSED:
        return "1.5";
    case SCHEMA_BOOL:
    case SCHEMA_INT:
    case SCHEMA_TRISTATE:
        return "\"x\"";
    case SCHEMA_DURATION:
        return "true";
    case SCHEMA_STRINGS:
    case SCHEMA_GROUP:
    case SCHEMA_LIST:
    case SCHEMA_TEXTS:
    case SCHEMA_VARIANTS:
    case SCHEMA_FLAGS:
        break;
    }
    return "7";
}

/* The wrong value under `before` NAME = … `after`; its path begins with `path`. */
static void refuses_wrong_types(const struct schema_group *g, const char *before, const char *after,
                                const char *path)
{
    for (size_t i = 0; i < g->nkeys; i++) {
        const struct schema_key *k = &g->keys[i];
        char text[200], line[100], sub[64];

        if (!strcmp(path, "") && (!strcmp(k->name, "title") || !strcmp(k->name, "sure")))
            continue; /* they stand in front of every text here */
        snprintf(text, sizeof text, "%s%s = %s;%s", before, k->name, wrong_value(k), after);
        snprintf(line, sizeof line, ":2: %s%s: expected ", path, k->name);
        refuses(text, line);
        if (k->type == SCHEMA_LIST) {
            snprintf(text, sizeof text, "%s = ( { ", k->name);
            snprintf(sub, sizeof sub, "%s[0].", k->name);
            refuses_wrong_types(k->group, text, " } );", sub);
        } else if (k->type == SCHEMA_GROUP) {
            snprintf(text, sizeof text, "%s = { ", k->name);
            snprintf(sub, sizeof sub, "%s.", k->name);
            refuses_wrong_types(k->group, text, " };", sub);
        }
    }
}

/* Every setting, given a value of the wrong type, is told with file, line and path. */
static void test_wrong_types(void **state)
{
    (void)state;
    refuses_wrong_types(&profiles_table, "", "", "");
}

/* Values of the right type that say nothing useful are told with what was expected. */
static void test_wrong_values(void **state)
{
    static const struct {
        const char *text, *line;
    } bad[] = {
        {"usb = ( { id = \"12d1\"; } );", ":2: usb[0].id: expected a USB id"},
        {"usb = ( { id = \"12d1:10011\"; } );", ":2: usb[0].id: expected a USB id"},
        {"usb = ( { id = \"12d1: 101\"; } );", ":2: usb[0].id: expected a USB id"},
        {"usb = ( { model = \"E173\"; } );", ":2: usb[0]: \"id\" is missing"},
        {"usb = ( { id = \"12d1:1001\"; interfaces = \"0 att\"; } );",
         ":2: usb[0].interfaces: expected interface numbers (0 to 15) with their roles"},
        {"usb = ( { id = \"12d1:1001\"; interfaces = \"16 at\"; } );", ":2: usb[0].interfaces: expected"},
        {"usb = ( { id = \"12d1:1001\"; interfaces = \"0 at, 0 at\"; } );", ":2: usb[0].interfaces: exp"},
        {"usb = ( { id = \"12d1:1001\"; interfaces = \"0 at,\"; } );", ":2: usb[0].interfaces: expected"},
        {"usb = ( { id = \"12d1:1001\"; },\n { id = \"12D1:1001\"; } );",
         ":3: usb[1].id: this id stands here"},
        {"classes = ( { vendor = \"12d1x\"; role = \"at\"; } );",
         ":2: classes[0].vendor: expected a USB vendor"},
        {"classes = ( { vendor = \"12d1\"; role = \"unknown\"; } );",
         ":2: classes[0].role: this says nothing"},
        {"other_modes = ( { id = \"12d1:1001\"; mode = \"modem\"; } );",
         ":2: other_modes[0].mode: expected one of \"disk\", \"hilink\", not \"modem\""},
        {"cnmi = [ \"2,1,\" ];", ":2: cnmi: element 0: expected numbers with commas"},
        {"cnmi = [ \"2,1\", \"AT+CNMI=2\" ];", ":2: cnmi: element 1: expected numbers with commas"},
        {"resets = [ \"+CFUN=1,1\" ];", ":2: resets: element 0: expected a command that begins with \"AT\""},
        {"signal = [ \"AT+CESQ\", \"AT+CPSI?\" ];",
         ":2: signal: element 1: expected a command whose answer is understood: AT+CSQ, AT^HCSQ?, AT+QCSQ or "
         "AT+CESQ"},
        {"signal = [ \"AT+CESQ;+CFUN=0\" ];", ":2: signal: element 0: expected a command whose answer"},
        {"init = ( { command = \"AT&W\"; } );", ":2: init[0].command: expected a command whose effect"},
        {"init = ( { command = \"AT+ZCDRUN=8\"; } );",
         ":2: init[0].command: expected a command whose effect"},
        {"init = ( { command = \"AT+QURCCFG=\\\"urcport\\\",\\\"usbat\\\"\"; } );",
         ":2: init[0].command: expected a command whose effect"},
        {"init = ( { command = \"ATE0\\r\\nATZ\"; } );", ":2: init[0].command: expected a command"},
        {"gap = \"20\";", ":2: gap: expected a time of at most 10000 milliseconds"},
        {"gap = \"20s\";", ":2: gap: expected a time of at most 10000 milliseconds"},
        {"ready = \"1h\";", ":2: ready: expected a duration"},
        {"timeouts = { send = \"0s\"; };", ":2: timeouts.send: expected a duration"},
        {"timeouts = { sned = \"60s\"; };",
         ":2: timeouts.sned: there is no such setting; did you mean \"send\"?"},
        {"ack = \"2\";", ":2: ack: expected one of \"probe\", \"plain\", \"0\", \"1\", not \"2\""},
        {"errors = ( { code = 512; class = \"none\"; text = \"x\"; } );",
         ":2: errors[0].class: this says nothing"},
        {"quirks = [ \"no-such\" ];", ":2: quirks: expected one of \"ok-before-pdu\""},
        {"quirks = [ 5 ];", ":2: quirks: element 0: expected a text"},
        {"direct = true;", ":2: direct: expected cnmi_direct with it"},
        {"cnmy = [ \"2,1\" ];", ":2: cnmy: there is no such setting; did you mean \"cnmi\"?"},
        {"colour = \"red\";", ":2: colour: there is no such setting; see README.md"},
        {"cnmi = [ \"2,1\"", ":"},
        {"sure = \"yes\";", ":2: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        refuses(bad[i].text, bad[i].line);
}

/* A profile says what it is and how sure it is. */
static void test_needed(void **state)
{
    struct buf problems = {0};

    (void)state;
    put(0, "x", "models = [ \"X*\" ];\n");
    put(0, "y", "title = \"Y\"; sure = \"certainly\";\n");
    struct profiles *p = read_both(&problems);
    assert_non_null(strstr(buf_str(&problems), "\"title\" is missing: the family, for people"));
    assert_non_null(strstr(buf_str(&problems), "\"sure\" is missing: "));
    assert_non_null(strstr(buf_str(&problems), ":1: sure: expected \"source\", \"manual\", \"report\" or"));
    assert_int_equal(profiles_set(p)->count, 1);
    profiles_free(p);
    buf_free(&problems);
}

/* All problems of all files are told at once, and the good files count. */
static void test_all_at_once(void **state)
{
    struct buf problems = {0};

    (void)state;
    put(0, "good", TITLE);
    put(0, "bad", TITLE "gap = \"x\";\nack = \"7\";\n");
    put(1, "worse", "title = ;\n");
    put(1, "bad name", TITLE);
    put(1, "generic", TITLE);
    struct profiles *p = read_both(&problems);
    assert_non_null(strstr(buf_str(&problems), "bad.conf:2: gap: "));
    assert_non_null(strstr(buf_str(&problems), "bad.conf:3: ack: "));
    assert_non_null(strstr(buf_str(&problems), "worse.conf:1: syntax error"));
    assert_non_null(strstr(buf_str(&problems), "bad name.conf: expected letters, digits"));
    assert_non_null(strstr(buf_str(&problems), "generic.conf: this name is the built-in profile's"));
    assert_int_equal(profiles_set(p)->count, 2);
    assert_non_null(profile_named(profiles_set(p), "good"));
    profiles_free(p);
    buf_free(&problems);
}

/* ---- folders ---- */

/* A user's file replaces the installed one of its name and adds families; a folder that is not there is none.
 */
static void test_own_files(void **state)
{
    struct buf problems = {0};
    const char *const none[] = {"/nonexistent/profiles", NULL}, *const no_folder[] = {"hw/README.md", NULL};
    struct profiles *p;

    (void)state;
    put(0, "a", "title = \"installed\"; sure = \"source\"; usb = ( { id = \"1234:0001\"; } );\n");
    put(1, "a", "title = \"own\"; sure = \"source\"; usb = ( { id = \"1234:0002\"; } );\n");
    put(1, "0", "title = \"new\"; sure = \"source\"; usb = ( { id = \"1234:0001\"; } );\n");
    p = read_both(&problems);
    assert_string_equal(buf_str(&problems), ""); /* the id has moved from a to 0 */
    assert_string_equal(profile_named(profiles_set(p), "a")->title, "own");
    assert_string_equal(profile_named(profiles_set(p), "0")->title, "new");
    assert_int_equal(profiles_set(p)->count, 3);
    profiles_free(p);
    p = profiles_read(none, &problems);
    assert_string_equal(buf_str(&problems), "");
    assert_int_equal(profiles_set(p)->count, 1);
    profiles_free(p);
    p = profiles_read(no_folder, &problems);
    assert_string_equal(buf_str(&problems), "hw/README.md: cannot be read: Not a directory\n");
    profiles_free(p);
    buf_free(&problems);
}

/* A user's file with a problem leaves the installed one in its place. */
static void test_broken_own_file(void **state)
{
    struct buf problems = {0};

    (void)state;
    put(0, "a", "title = \"installed\"; sure = \"source\";\n");
    put(1, "a", "title = \"own\"; sure = \"source\"; gap = 20;\n");
    struct profiles *p = read_both(&problems);
    assert_non_null(strstr(buf_str(&problems), "a.conf:1: gap: expected "));
    assert_string_equal(profile_named(profiles_set(p), "a")->title, "installed");
    profiles_free(p);
    buf_free(&problems);
}

/* A USB id in two families is an error that names the other one; the later family is left out. */
static void test_id_twice(void **state)
{
    struct buf problems = {0};

    (void)state;
    put(0, "a", "title = \"A\"; sure = \"source\"; usb = ( { id = \"1234:0001\"; } );\n");
    put(0, "b",
        "title = \"B\"; sure = \"source\"; other_modes = ( { id = \"1234:0001\"; mode = \"disk\"; } );\n");
    struct profiles *p = read_both(&problems);
    assert_non_null(
        strstr(buf_str(&problems), "b.conf:1: other_modes[0].id: 1234:0001 is in the profile \"a\" too"));
    assert_null(profile_named(profiles_set(p), "b"));
    profiles_free(p);
    buf_free(&problems);
}

/* The own folder stands beside gateway.conf; an installed one is always named. */
static void test_where(void **state)
{
    struct profiles_folders f;

    (void)state;
    profiles_find(&f, "/etc/simgate/gateway.conf");
    assert_string_equal(f.list[1], "/etc/simgate/profiles");
    assert_true(f.list[0] && *f.list[0]);
    assert_null(f.list[2]);
    profiles_find(&f, "gateway.conf");
    assert_string_equal(f.list[1], "./profiles");
}

/* ---- gateway.conf names one ---- */

static struct conf *conf_with(const char *profile, const struct profile_set *set, struct buf *problems)
{
    char path[128];

    snprintf(path, sizeof path, "%s/gateway.conf", folders[1]);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "modems = ( { name = \"M0\"; port = \"/dev/ttyUSB0\";\n profile = \"%s\"; } );\n", profile);
    fclose(f);
    struct conf *c = conf_read(path, set, problems);
    unlink(path);
    return c;
}

/* A profile that gateway.conf names is looked up; an unknown one is an error with the names that come near.
 */
static void test_named_by_user(void **state)
{
    struct profiles *p = read_shipped();
    struct buf problems = {0};
    struct conf *c = conf_with("quectel-4g", profiles_set(p), &problems);

    (void)state;
    assert_string_equal(buf_str(&problems), "");
    assert_ptr_equal(c->modems[0].modem.profiles, profiles_set(p));
    conf_unref(c);
    c = conf_with("generic", profiles_set(p), &problems);
    assert_non_null(c);
    conf_unref(c);
    assert_null(conf_with("quectel", profiles_set(p), &problems));
    assert_non_null(strstr(buf_str(&problems),
                           ":2: modems[0].profile: there is no profile \"quectel\"; did you "
                           "mean \"quectel-2g\", \"quectel-4g\", \"quectel-lpwa\""));
    buf_clear(&problems);
    assert_null(conf_with("7", profiles_set(p), &problems));
    assert_non_null(strstr(buf_str(&problems), "expected one of \"cinterion\", "));
    buf_free(&problems);
    profiles_free(p);
}

/* ---- what is made from them ---- */

static char *read_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "r");

    if (!f || fstat(fileno(f), &st) < 0)
        fail_msg("cannot read %s", path);
    char *text = calloc(1, (size_t)st.st_size + 1);
    assert_int_equal(fread(text, 1, (size_t)st.st_size, f), (size_t)st.st_size);
    fclose(f);
    return text;
}

/* The rules of udev that are checked in are those that `make udev` would write. */
static void test_rules(void **state)
{
    struct profiles *p = read_shipped();
    struct buf rules = {0};
    char *checked_in = read_file("udev/60-simgate.rules");

    (void)state;
    udev_rules(profiles_set(p), &rules);
    if (strcmp(buf_str(&rules), checked_in) != 0)
        fail_msg("udev/60-simgate.rules is not what the profiles say: run `make udev`");
    free(checked_in);
    buf_free(&rules);
    profiles_free(p);
}

/* A role stands in the rules for exactly the interface that has it, ids before classes, in hexadecimal. */
static void test_rules_text(void **state)
{
    struct buf rules = {0}, problems = {0};

    (void)state;
    put(0, "x",
        "title = \"X\nGOTO=y\"; sure = \"source\";\n"
        "usb = ( { id = \"1234:0001\"; interfaces = \"2 at, 12 gps\"; }, { id = \"1234:00ab\"; interfaces = "
        "\"2 at\"; } );\n"
        "classes = ( { vendor = \"1234\"; subclass = 2; protocol = 18; role = \"diag\"; } );\n");
    struct profiles *p = read_both(&problems);
    assert_string_equal(buf_str(&problems), "");
    udev_rules(profiles_set(p), &rules);
    const char *text = buf_str(&rules);
    assert_non_null(strstr(text, "\n# X\n"));
    assert_non_null(strstr(text, "ENV{ID_VENDOR_ID}==\"1234\", ENV{ID_MODEL_ID}==\"0001|00ab\", "
                                 "ENV{SIMGATE_FAMILY}=\"x\"\n"));
    assert_non_null(strstr(text, "ENV{ID_MODEL_ID}==\"0001|00ab\", ENV{ID_USB_INTERFACE_NUM}==\"02\", "
                                 "ENV{SIMGATE_ROLE}=\"at\"\n"));
    assert_non_null(strstr(text, "ENV{ID_MODEL_ID}==\"0001\", ENV{ID_USB_INTERFACE_NUM}==\"0c\", "
                                 "ENV{SIMGATE_ROLE}=\"gps\"\n"));
    assert_non_null(strstr(text, "ENV{SIMGATE_ROLE}==\"\", ENV{ID_VENDOR_ID}==\"1234\", "
                                 "ATTRS{bInterfaceClass}==\"ff\", ATTRS{bInterfaceSubClass}==\"02\", "
                                 "ATTRS{bInterfaceProtocol}==\"12\", ENV{SIMGATE_ROLE}=\"diag\"\n"));
    profiles_free(p);
    buf_free(&rules);
    buf_free(&problems);
}

/* ---- the manual ---- */

/* How many settings of the table the manual tells, each by a row that begins with its path. */
static int told(const char *manual, const struct schema_group *g, const char *path)
{
    int count = 0;

    for (size_t i = 0; i < g->nkeys; i++) {
        const struct schema_key *k = &g->keys[i];
        char row[80], sub[64];

        snprintf(row, sizeof row, "\n| `%s%s` | ", path, k->name);
        if (!strstr(manual, row))
            fail_msg("hw/README.md does not tell the setting %s%s", path, k->name);
        count++;
        snprintf(sub, sizeof sub, "%s%s", k->name, k->type == SCHEMA_LIST ? "[]." : ".");
        if (k->type == SCHEMA_LIST || k->type == SCHEMA_GROUP)
            count += told(manual, k->group, sub);
    }
    return count;
}

/* hw/README.md tells every setting and every quirk there is, and none that is not. */
static void test_manual(void **state)
{
    char *manual = read_file("hw/README.md");
    int rows = 0;

    (void)state;
    int settings = told(manual, &profiles_table, "");
    for (size_t i = 0; i < profiles_table.nkeys; i++)
        for (const char *const *q = profiles_table.keys[i].names;
             q && *q && profiles_table.keys[i].type == SCHEMA_FLAGS; q++) {
            char row[80];

            snprintf(row, sizeof row, "\n| `%s` | ", *q);
            assert_non_null(strstr(manual, row));
            settings++;
        }
    char *from = strstr(manual, "### The family");
    assert_non_null(from);
    for (char *at = from; (at = strstr(at, "\n| `")); at++)
        rows++;
    assert_int_equal(rows, settings);
    free(manual);
}

/* docs/hardware.md has a row for every installed family, which says how sure we are as the profile does. */
static void test_hardware_table(void **state)
{
    char *page = read_file("docs/hardware.md");
    struct profiles *p = read_shipped();
    const struct profile_set *set = profiles_set(p);

    (void)state;
    for (int i = 0; i < set->count - 1; i++) {
        char row[80], sure[40];

        snprintf(row, sizeof row, "\n| `%s` | ", set->profiles[i]->name);
        snprintf(sure, sizeof sure, " | %s |", set->profiles[i]->sure);
        const char *at = strstr(page, row);
        if (!at)
            fail_msg("docs/hardware.md does not tell of %s", set->profiles[i]->name);
        const char *end = strchr(at + 1, '\n');
        const char *found = strstr(at, sure);
        if (!found || found > end)
            fail_msg("docs/hardware.md: %s is as sure as \"%s\"", set->profiles[i]->name,
                     set->profiles[i]->sure);
    }
    profiles_free(p);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_values),
        cmocka_unit_test_setup_teardown(test_quirks, make_folders, remove_folders),
        cmocka_unit_test(test_recognised),
        cmocka_unit_test(test_simulated_modems),
        cmocka_unit_test(test_other_modes),
        cmocka_unit_test(test_collected_ids),
        cmocka_unit_test_setup_teardown(test_wrong_types, make_folders, remove_folders),
        cmocka_unit_test_setup_teardown(test_wrong_values, make_folders, remove_folders),
        cmocka_unit_test_setup_teardown(test_needed, make_folders, remove_folders),
        cmocka_unit_test_setup_teardown(test_all_at_once, make_folders, remove_folders),
        cmocka_unit_test_setup_teardown(test_own_files, make_folders, remove_folders),
        cmocka_unit_test_setup_teardown(test_broken_own_file, make_folders, remove_folders),
        cmocka_unit_test_setup_teardown(test_id_twice, make_folders, remove_folders),
        cmocka_unit_test(test_where),
        cmocka_unit_test_setup_teardown(test_named_by_user, make_folders, remove_folders),
        cmocka_unit_test(test_rules),
        cmocka_unit_test_setup_teardown(test_rules_text, make_folders, remove_folders),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_hardware_table),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
