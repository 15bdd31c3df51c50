/* The table of a profile's settings, and how their texts are read. hw/README.md tells each. */
#include <stdlib.h>
#include <string.h>

#include "app/profiles.h"
#include "base/util.h"
#include "modem/modem.h"

#define SECOND 1000LL
#define MINUTE (60 * SECOND)

#define PROFILE(m) offsetof(struct profile, m)
#define USB(m)     offsetof(struct profile_usb, m)
#define CLASS(m)   offsetof(struct profile_class, m)
#define OTHER(m)   offsetof(struct profile_other_mode, m)
#define COMMAND(m) offsetof(struct profile_command, m)
#define ERROR(m)   offsetof(struct profile_error, m)
#define TRIES(m)   offsetof(struct profile_tries, m)

/* ---- texts that are more than texts ---- */

/* Four hexadecimal digits. */
static bool take_hex(const char **text, uint16_t *out)
{
    char digits[5] = "";

    memcpy(digits, *text, strnlen(*text, 4));
    if (strspn(digits, "0123456789abcdefABCDEF") != 4)
        return false;
    *out = (uint16_t)strtoul(digits, NULL, 16);
    *text += 4;
    return true;
}

/* "12d1:1001" into the two numbers at `at`, vendor and product. */
static const char *parse_usb_id(struct schema *s, const char *text, void *at)
{
    uint16_t *id = at;

    (void)s;
    if (!take_hex(&text, &id[0]) || *text++ != ':' || !take_hex(&text, &id[1]) || *text)
        return "a USB id as lsusb shows it, such as \"12d1:1001\"";
    return NULL;
}
_Static_assert(USB(product) == USB(vendor) + sizeof(uint16_t), "parse_usb_id writes both");
_Static_assert(OTHER(product) == OTHER(vendor) + sizeof(uint16_t), "parse_usb_id writes both");

static const char *parse_vendor(struct schema *s, const char *text, void *at)
{
    (void)s;
    if (!take_hex(&text, at) || *text)
        return "a USB vendor of four hexadecimal digits, such as \"12d1\"";
    return NULL;
}

static const char *const role_keys[] = {
    [ROLE_UNKNOWN] = "unknown", [ROLE_AT] = "at",
    [ROLE_AT2] = "at2",         [ROLE_DATA] = "data",
    [ROLE_DIAG] = "diag",       [ROLE_GPS] = "gps",
    [ROLE_NET] = "net",         [ROLE_AUDIO] = "audio",
    [ROLE_IGNORE] = "ignore",   NULL,
};

static int role_of(const char *name, size_t len)
{
    for (int i = ROLE_UNKNOWN + 1; role_keys[i]; i++)
        if (strlen(role_keys[i]) == len && !memcmp(role_keys[i], name, len))
            return i;
    return ROLE_UNKNOWN;
}

/* "0 diag, 2 at, 3 at2" */
static const char *parse_interfaces(struct schema *s, const char *text, void *at)
{
    static const char expected[] = "interface numbers (0 to 15) with their roles (at, at2, data, diag, gps, "
                                   "net, audio, ignore), such as \"0 diag, 2 at, 3 at2\"";
    uint8_t *roles = at;

    (void)s;
    while (*text) {
        char *end;
        unsigned long number = strtoul(text, &end, 10);
        const char *name = end + strspn(end, " ");
        size_t len = strcspn(name, ", ");
        int role = role_of(name, len);

        if (end == text || number >= PROFILE_INTERFACES || role == ROLE_UNKNOWN || roles[number])
            return expected;
        roles[number] = (uint8_t)role;
        text = name + len;
        if (*text && (*text != ',' || !text[1]))
            return expected;
        text += strspn(text, ", ");
    }
    return NULL;
}

/* Short waits: "20ms", into int64_t milliseconds. */
static const char *parse_ms(struct schema *s, const char *text, void *at)
{
    enum { MAX_MS = 10000 };
    char *end;
    unsigned long ms = strtoul(text, &end, 10);

    (void)s;
    if (end == text || strcmp(end, "ms") || ms > MAX_MS || *text == '-' || *text == '+')
        return "a time of at most 10000 milliseconds, such as \"20ms\"";
    *(int64_t *)at = (int64_t)ms;
    return NULL;
}

static const char *parse_sure(struct schema *s, const char *text, void *at)
{
    static const char *const all[] = {"source", "manual", "report", "assumed"};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        if (!strcmp(all[i], text)) {
            *(const char **)at = schema_strdup(s, text);
            return NULL;
        }
    }
    return "\"source\", \"manual\", \"report\" or \"assumed\"";
}

/* ---- texts of a form ---- */

/* The values of +CNMI, TS 27.005 3.4.1, or of +CSMS: digits between commas. */
static const char *check_values(struct schema *s, const char *text, void *at)
{
    (void)s, (void)at;
    for (const char *p = text; *p; p += p[1] == ',' ? 2 : 1)
        if (*p < '0' || *p > '9' || (p[1] == ',' && !p[2]))
            return "numbers with commas between, such as \"2,1,0,1,0\"";
    return NULL;
}

static bool is_command(const char *text)
{
    return !strncmp(text, "AT", 2) && !strpbrk(text, "\r\n\x1a\x1b");
}

static const char *check_command(struct schema *s, const char *text, void *at)
{
    /* They would outlive simgate in the modem: TS 27.007 &W, and what vendors keep by themselves. */
    static const char *const kept[] = {"AT&W", "AT+CSAS", "AT+ZCDRUN", "AT+QURCCFG"};

    (void)s, (void)at;
    if (!is_command(text))
        return "a command that begins with \"AT\"";
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        if (!strncasecmp(text, kept[i], strlen(kept[i])))
            return "a command whose effect the modem does not keep over a restart";
    return NULL;
}

static const char *check_signal(struct schema *s, const char *text, void *at)
{
    (void)s, (void)at;
    return modem_reads_signal(text)
               ? NULL
               : "a command whose answer is understood: AT+CSQ, AT^HCSQ?, AT+QCSQ or AT+CESQ";
}

static const char *parse_command(struct schema *s, const char *text, void *at)
{
    const char *expected = check_command(s, text, NULL);

    *(const char **)at = schema_strdup(s, text);
    return expected;
}

/* ---- the table ---- */

static const char *const mode_keys[] = {[PROFILE_MODE_DISK] = "disk", [PROFILE_MODE_HILINK] = "hilink", NULL};
static const char *const ack_keys[] = {
    [ACK_PROBE] = "probe", [ACK_PLAIN] = "plain", [ACK_ZERO] = "0", [ACK_ONE] = "1", NULL};
static const char *const cmms_keys[] = {[CMMS_PROBE] = "probe", [CMMS_OFF] = "off", NULL};
static const char *const coding_keys[] = {[CODING_AUTO] = "auto",
                                          [CODING_PLAIN] = "plain",
                                          [CODING_PACKED] = "packed",
                                          [CODING_UCS2] = "ucs2",
                                          NULL};
static const char *const class_keys[] = {[CARRIER_E_NONE] = "none",           [CARRIER_E_OURS] = "ours",
                                         [CARRIER_E_PERMANENT] = "recipient", [CARRIER_E_SIM] = "sim",
                                         [CARRIER_E_NETWORK] = "network",     [CARRIER_E_MODEM] = "modem",
                                         [CARRIER_E_BUSY] = "busy",           [CARRIER_E_UNCLEAR] = "unclear",
                                         [CARRIER_E_ACCEPTED] = "accepted",   NULL};
/* The bits of enum profile_quirk, in their order. */
static const char *const quirk_keys[] = {"ok-before-pdu",
                                         "sent-without-cmgs",
                                         "sends-with-500",
                                         "deletes-siblings",
                                         "settle-after-pin",
                                         "cpms-cycle",
                                         "no-cnma-for-cmt",
                                         "listing-uninterrupted",
                                         "3gpp2-format",
                                         "cme-515-after-send",
                                         NULL};

static const struct schema_key usb_keys[] = {
    {"id", SCHEMA_PARSED, USB(vendor), .parse = parse_usb_id, .required = true,
     .help = "vendor and product, \"12d1:1001\""},
    {"model", SCHEMA_STRING, USB(model), .max = 200, .help = "which devices have it, for people"},
    {"interfaces", SCHEMA_PARSED, USB(roles), .parse = parse_interfaces,
     .help = "what each USB interface is for, \"0 diag, 2 at, 3 at2\""},
};
static const struct schema_group usb_group = {usb_keys, ARRAY_LEN(usb_keys), sizeof(struct profile_usb),
                                              SCHEMA_NO_PLACE};

static const struct schema_key class_rule_keys[] = {
    {"vendor", SCHEMA_PARSED, CLASS(vendor), .parse = parse_vendor, .required = true,
     .help = "USB vendor, \"12d1\""},
    {"subclass", SCHEMA_INT, CLASS(subclass), .def = "-1", .min = -1, .max = 255,
     .help = "bInterfaceSubClass of class 255; -1: any"},
    {"protocol", SCHEMA_INT, CLASS(protocol), .def = "-1", .min = -1, .max = 255,
     .help = "bInterfaceProtocol; -1: any"},
    {"interface", SCHEMA_INT, CLASS(interface), .def = "-1", .min = -1, .max = PROFILE_INTERFACES - 1,
     .help = "bInterfaceNumber; -1: any"},
    {"role", SCHEMA_ENUM, CLASS(role), .names = role_keys, .required = true, .help = "as in interfaces"},
};
static const struct schema_group class_group = {class_rule_keys, ARRAY_LEN(class_rule_keys),
                                                sizeof(struct profile_class), SCHEMA_NO_PLACE};

static const struct schema_key other_keys[] = {
    {"id", SCHEMA_PARSED, OTHER(vendor), .parse = parse_usb_id, .required = true,
     .help = "vendor and product"},
    {"mode", SCHEMA_ENUM, OTHER(mode), .names = mode_keys, .required = true,
     .help = "\"disk\": a CD-ROM that usb_modeswitch turns into a modem; \"hilink\": a network card"},
    {"model", SCHEMA_STRING, OTHER(model), .max = 200, .help = "which devices have it, for people"},
};
static const struct schema_group other_group = {other_keys, ARRAY_LEN(other_keys),
                                                sizeof(struct profile_other_mode), SCHEMA_NO_PLACE};

static const struct schema_key command_keys[] = {
    {"command", SCHEMA_PARSED, COMMAND(text), .parse = parse_command, .required = true,
     .help = "\"AT^CURC=0\""},
    {"must", SCHEMA_BOOL, COMMAND(must), .def = "false", .help = "without its OK the modem is not used"},
};
static const struct schema_group command_group = {command_keys, ARRAY_LEN(command_keys),
                                                  sizeof(struct profile_command), SCHEMA_NO_PLACE};

#define TIMEOUT(cls) PROFILE(timeout_ms) + sizeof(int64_t) * (cls)
#define TIME(max_ms) .min = SECOND, .max = (max_ms)
static const struct schema_key timeout_keys[] = {
    {"quick", SCHEMA_DURATION, TIMEOUT(AT_QUICK), TIME(MINUTE), .help = "AT, ATE0, AT+CMEE"},
    {"query", SCHEMA_DURATION, TIMEOUT(AT_QUERY), TIME(5 * MINUTE), .help = "settings and readings"},
    {"sim", SCHEMA_DURATION, TIMEOUT(AT_SIM), TIME(5 * MINUTE), .help = "AT+CPIN=, AT+CPMS, AT+CSCA"},
    {"read", SCHEMA_DURATION, TIMEOUT(AT_READ), TIME(5 * MINUTE), .help = "AT+CMGR, AT+CMGD"},
    {"list", SCHEMA_DURATION, TIMEOUT(AT_LIST), TIME(10 * MINUTE), .help = "AT+CMGL"},
    {"operator", SCHEMA_DURATION, TIMEOUT(AT_OPERATOR), TIME(10 * MINUTE), .help = "AT+COPS?"},
    {"radio", SCHEMA_DURATION, TIMEOUT(AT_RADIO), TIME(5 * MINUTE), .help = "AT+CFUN"},
    {"send", SCHEMA_DURATION, TIMEOUT(AT_SEND), TIME(10 * MINUTE),
     .help = "the result behind the PDU of AT+CMGS"},
    {"ack", SCHEMA_DURATION, TIMEOUT(AT_ACK), TIME(MINUTE), .help = "AT+CNMA"},
    {"ussd", SCHEMA_DURATION, TIMEOUT(AT_USSD), TIME(5 * MINUTE), .help = "the OK of AT+CUSD"},
};
_Static_assert(ARRAY_LEN(timeout_keys) == AT_CLASSES, "a name for each class");
static const struct schema_group timeout_group = {timeout_keys, ARRAY_LEN(timeout_keys), 0, SCHEMA_NO_PLACE};

static const struct schema_key tries_keys[] = {
    {"command", SCHEMA_PARSED, TRIES(command), .parse = parse_command, .required = true,
     .help = "\"AT^CPIN?\""},
    {"prefix", SCHEMA_STRING, TRIES(prefix), .min = 1, .max = 20, .required = true,
     .help = "of the answer's line, \"^CPIN:\""},
    {"field", SCHEMA_INT, TRIES(field), .def = "0", .min = 0, .max = 20,
     .help = "which value behind it, counted from 0"},
};
static const struct schema_group tries_group = {tries_keys, ARRAY_LEN(tries_keys),
                                                sizeof(struct profile_tries), SCHEMA_NO_PLACE};

static const struct schema_key error_keys[] = {
    {"code", SCHEMA_INT, ERROR(code), .min = 0, .max = 65535, .required = true,
     .help = "the number of +CMS ERROR"},
    {"class", SCHEMA_ENUM, ERROR(cls), .names = class_keys, .required = true,
     .help = "what becomes of the message"},
    {"text", SCHEMA_STRING, ERROR(text), .min = 1, .max = 60, .required = true, .help = "for the history"},
};
static const struct schema_group error_group = {error_keys, ARRAY_LEN(error_keys),
                                                sizeof(struct profile_error), SCHEMA_NO_PLACE};

#define LIST_OF(member, table) PROFILE(member), PROFILE(n##member), .group = &(table)
static const struct schema_key profile_keys[] = {
    {"title", SCHEMA_STRING, PROFILE(title), .min = 1, .max = 100, .required = true,
     .help = "the family, for people"},
    {"sure", SCHEMA_PARSED, PROFILE(sure), .parse = parse_sure, .required = true,
     .help = "how sure the facts are: \"source\", \"manual\", \"report\" or \"assumed\""},
    {"hint", SCHEMA_STRING, PROFILE(hint), .max = CARRIER_TEXT_BYTES - 1,
     .help = "what an administrator should know"},

    {"manufacturers", SCHEMA_STRINGS, PROFILE(manufacturers),
     .help = "patterns (*, ?) on the answer to AT+CGMI; upper and lower case are the same"},
    {"models", SCHEMA_STRINGS, PROFILE(models),
     .help = "patterns on the answer to AT+CGMM; with manufacturers, both must match"},
    {"usb", SCHEMA_LIST, LIST_OF(usb, usb_group), .help = "USB devices of the family"},
    {"classes", SCHEMA_LIST, LIST_OF(classes, class_group),
     .help = "roles by interface class, where ids do not say them; the first that fits counts"},
    {"other_modes", SCHEMA_LIST, LIST_OF(other_modes, other_group),
     .help = "USB devices of the family that are no modem in this mode"},

    {"ready_signs", SCHEMA_STRINGS, PROFILE(ready_signs),
     .help = "beginnings of lines behind which SMS commands work"},
    {"ready", SCHEMA_DURATION, PROFILE(ready_ms), .min = 0, .max = 5 * MINUTE,
     .help = "how long after a restart SMS commands may fail"},
    {"boot", SCHEMA_DURATION, PROFILE(boot_ms), .min = 0, .max = 5 * MINUTE,
     .help = "from a restart until it answers again"},
    {"probe_tries", SCHEMA_INT, PROFILE(probe_tries), .def = "0", .min = 0, .max = 40,
     .help = "how often AT is sent, 3 s apart, before a port is given up; 0: 4"},
    {"banners", SCHEMA_STRINGS, PROFILE(banners), .help = "lines that mean that it has restarted"},
    {"init", SCHEMA_LIST, LIST_OF(init, command_group), .help = "commands before the SIM is asked"},
    {"init_sim", SCHEMA_LIST, LIST_OF(init_sim, command_group), .help = "commands when the SIM is ready"},

    {"cnmi", SCHEMA_STRINGS, PROFILE(cnmi), .parse = check_values,
     .help = "values of AT+CNMI for receive = \"store\", tried in this order"},
    {"cnmi_direct", SCHEMA_STRINGS, PROFILE(cnmi_direct), .parse = check_values,
     .help = "the same for receive = \"direct\"; left out: not for this family"},
    {"csms_direct", SCHEMA_STRINGS, PROFILE(csms_direct), .parse = check_values,
     .help = "values of AT+CSMS for receive = \"direct\""},
    {"direct", SCHEMA_BOOL, PROFILE(direct), .def = "false", .help = "receive = \"auto\" means \"direct\""},
    {"ack", SCHEMA_ENUM, PROFILE(ack), .def = "probe", .names = ack_keys,
     .help = "\"plain\": AT+CNMA; \"0\": AT+CNMA=0; \"1\": AT+CNMA=1; \"probe\": found out"},
    {"stores", SCHEMA_STRINGS, PROFILE(stores), .help = "where messages are kept, the best first"},

    {"timeouts", SCHEMA_GROUP, 0, .group = &timeout_group, .help = "how long kinds of commands may take"},
    {"gap", SCHEMA_PARSED, PROFILE(gap_ms), .parse = parse_ms,
     .help = "between a result and the next command, \"20ms\""},
    {"prompt_gap", SCHEMA_PARSED, PROFILE(prompt_gap_ms), .parse = parse_ms,
     .help = "between the prompt of AT+CMGS and the PDU"},
    {"cmms", SCHEMA_ENUM, PROFILE(cmms), .def = "probe", .names = cmms_keys,
     .help = "\"off\": AT+CMMS is never sent"},
    {"errors", SCHEMA_LIST, LIST_OF(errors, error_group), .help = "+CMS ERROR numbers of the vendor's own"},

    {"charset", SCHEMA_STRING, PROFILE(charset), .max = 20, .help = "of AT+CSCS; left out: \"GSM\""},
    {"ussd_request", SCHEMA_ENUM, PROFILE(ussd_request), .def = "auto", .names = coding_keys,
     .help = "how the code of AT+CUSD is written"},
    {"ussd_answer", SCHEMA_ENUM, PROFILE(ussd_answer), .def = "auto", .names = coding_keys,
     .help = "how the text of +CUSD is written"},

    {"signal", SCHEMA_STRINGS, PROFILE(signal), .parse = check_signal,
     .help = "commands that tell the signal where AT+CSQ does not: \"AT^HCSQ?\", \"AT+QCSQ\", \"AT+CESQ\""},
    {"noise", SCHEMA_STRINGS, PROFILE(noise), .help = "beginnings of lines that say nothing"},
    {"wedged", SCHEMA_STRINGS, PROFILE(wedged),
     .help = "beginnings of lines that, without any answer, mean that it hangs"},
    {"resets", SCHEMA_STRINGS, PROFILE(resets), .parse = check_command,
     .help = "commands that restart it, the best first; left out: AT+CFUN=1,1"},
    {"tries", SCHEMA_LIST, LIST_OF(tries, tries_group),
     .help = "commands that tell how many tries the PIN has left"},
    {"quirks", SCHEMA_FLAGS, PROFILE(quirks), .names = quirk_keys, .help = "what no other setting can say"},
};
const struct schema_group profiles_table = {profile_keys, ARRAY_LEN(profile_keys), sizeof(struct profile),
                                            SCHEMA_NO_PLACE};
