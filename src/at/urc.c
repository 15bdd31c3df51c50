/* Unsolicited result codes: which lines are some, and those that go on over the line end.
 *
 *      +CMT: [alpha],len    +CDS: [,]len    +CBM: len      TS 27.005 3.4.1: the PDU is the next line
 *      +CUSD: 1,"menu …                                    TS 27.007 7.15: the string may hold line ends
 *
 * The second line is awaited for AT_SECOND_LINE_MS, whatever else happens on the line meanwhile: a line that
 * cannot be it is treated as any other. When it does not come, the code is delivered without.
 */
#include <ctype.h>

#include "at/internal.h"
#include "base/util.h"

static const char *const codes[] = {
    /* TS 27.005 */
    "+CMTI:",
    "+CMT:",
    "+CDSI:",
    "+CDS:",
    "+CBMI:",
    "+CBM:",
    /* TS 27.007 */
    "+CREG:",
    "+CGREG:",
    "+CEREG:",
    "+C5GREG:",
    "+CUSD:",
    "+CRING:",
    "+CLIP:",
    "+CCWA:",
    "+COLP:",
    "+CDIP:",
    "+CSSI:",
    "+CSSU:",
    "+CIEV:",
    "+CGEV:",
    "+CTZV:",
    "+CTZE:",
    "+CTZDST:",
    "+CLCC:",
    "+CPIN:",
    "+CFUN:",
    "+CSQ:",
    "+CESQ:",
    "+CMWI",
    "+CUSATP",
    "+CUSATEND",
    "+CIREP",
    "+CNAP:",
    /* SIMCom, A76xx */
    "+CSQN:",
    "+CNSMOD:",
    "+NITZ",
    "+RXDTMF:",
    "+SMS FULL",
    "+CLASS0:",
    "+SIMTRAY",
    "+CGURC:",
    "+CPSI:",
    /* Quectel */
    "+QIND:",
    "+QUSIM:",
    "+QSIMSTAT:",
    "+QGPSURC",
    "+QLWURC",
    "+QTONEDET",
    "+QNETDEVSTATUS",
    "+QIURC",
    /* u-blox */
    "+UUSIMSTAT:",
    "+UUDTMFD",
    "+UUSO",
    "+UUPSD",
    "+UCALLSTAT",
    "+UMWI",
    "+PBREADY",
    "+AT: READY",
    /* Wavecom, Sierra, MBM, ZTE, Icera, Intel */
    "+WIND:",
    "+PACSP",
    "+ZUSIMR:",
    "+ZDONR:",
    "+ZPASR:",
    "+ZPSTM:",
    "+ZEND",
    "+ZSMMEMFULL",
    "+SPNWNAME",
    "+PSBEARER",
    "+XBIPI",
    "+XCALLSTAT",
    /* words */
    "UNDER-VOLTAGE",
    "UNDER_VOLTAGE",
    "OVER-VOLTAGE",
    "OVER_VOLTAGE",
    "VOICE CALL:",
    "MISSED_CALL:",
    "HANGUP:",
    "DST:",
    /* positions of a receiver that shares the port (NMEA) */
    "$G",
};

/* The whole line. */
static const char *const words[] = {
    "RING",       "NO CARRIER", "BUSY",     "NO ANSWER", "NO DIALTONE",       "CONNECT",      "RDY",
    "Call Ready", "SMS Ready",  "SMS DONE", "PB DONE",   "NORMAL POWER DOWN", "NO DIAL TONE", "APP RDY",
};

/* Huawei and Cinterion, Telit, MBM and SIMCom, Icera, Option: codes of these forms are never part of an
 * answer unless the command asked for that very prefix. */
static const char vendor_marks[] = "^#*%_";

static bool begins_as(const char *const *prefixes, const char *line)
{
    for (; prefixes && *prefixes; prefixes++) {
        if (at_starts(line, *prefixes))
            return true;
    }
    return false;
}

enum at_urc_kind at_urc_kind(const struct at_chan *ch, const char *line)
{
    for (int i = 0; i < AT_KNOWN_LISTS; i++) {
        if (begins_as(ch->known[i], line))
            return AT_URC_KNOWN;
    }
    if (strchr(vendor_marks, line[0]) && isalpha((unsigned char)line[1]))
        return AT_URC_KNOWN;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (line[1] == codes[i][1] && at_starts(line, codes[i]))
            return AT_URC_KNOWN;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(line, words[i]) == 0)
            return AT_URC_KNOWN;
    }
    return line[0] == '+' && isupper((unsigned char)line[1]) ? AT_URC_VENDOR : AT_URC_NO;
}

bool at_is_hex(const char *text)
{
    const char *p = text;

    while (isxdigit((unsigned char)*p))
        p++;
    return p != text && *p == '\0';
}

/* ---- +CREG and its family ---- */

bool at_urc_registration(const char *line)
{
    return at_starts(line, "+CREG:") || at_starts(line, "+CGREG:") || at_starts(line, "+CEREG:") ||
           at_starts(line, "+C5GREG:");
}

/* <n>,<stat>[,…] or <stat>[,<lac>,<ci>…]: the second field of the answer is a <stat>, 0..11 and never quoted;
 * that of the code is a <lac>: four hex digits or more, quoted or not, or empty. "002,001" is Iridium's. */
bool at_urc_is_answer(const char *line)
{
    const char *comma = strchr(line, ',');
    int64_t stat;

    if (strchr(line, '(')) /* "+CREG: (0-2)" */
        return true;
    if (!comma)
        return false;
    const char *p = comma + 1 + strspn(comma + 1, " ");
    struct at_cur c = {p};
    return strcspn(p, ", ") <= 3 && *p != '"' && at_cur_number(&c, &stat) && stat >= 0 && stat <= 11;
}

/* ---- two lines ---- */

/* The <length> of a PDU mode header: its last field, alone or behind <alpha>. -1: not of that form. */
static int64_t header_length(const char *line)
{
    struct at_cur c = at_cur_after(line, "+");
    int64_t length = -1;

    c.p = c.p ? strchr(c.p, ':') : NULL;
    if (!c.p)
        return -1;
    c.p++;
    for (int fields = 0; !at_cur_end(&c); fields++) {
        if (fields == 2)
            return -1;
        if (!at_cur_number(&c, &length)) {
            length = -1;
            at_cur_skip(&c);
        }
    }
    return length >= 0 && length <= AT_LINE_BYTES ? length : -1;
}

static bool two_lines(const char *line)
{
    return at_starts(line, "+CMT:") || at_starts(line, "+CDS:") || at_starts(line, "+CBM:");
}

enum at_second at_urc_second(const char *line)
{
    if (at_starts(line, "+CUSD:")) {
        unsigned quotes = 0;
        for (const char *p = line; *p; p++)
            quotes += *p == '"';
        return quotes % 2 ? AT_SECOND_USSD : AT_SECOND_NONE;
    }
    if (!two_lines(line))
        return AT_SECOND_NONE;
    if (header_length(line) >= 0)
        return AT_SECOND_PDU;
    /* Text mode: +CDS is one line then (TS 27.005 3.4.1), and so is a header that was cut off. */
    return strchr(line, ',') && !at_starts(line, "+CDS:") ? AT_SECOND_TEXT : AT_SECOND_NONE;
}

static int hex_octet(const char *p)
{
    static const char digits[] = "0123456789ABCDEF";

    return (int)((strchr(digits, toupper((unsigned char)p[0])) - digits) * 16 +
                 (strchr(digits, toupper((unsigned char)p[1])) - digits));
}

bool at_urc_pdu_fits(const char *header, const char *pdu, bool padded)
{
    size_t digits = strlen(pdu);
    int64_t length = header_length(header);

    if (digits < 4 || digits % 2 != 0 || length < 0 || !at_is_hex(pdu))
        return false;
    size_t tpdu = 2 * (size_t)length;
    size_t whole = tpdu + 2 * (size_t)(1 + hex_octet(pdu)); /* <length> does not count the SMSC */
    /* A page of +CBM has no SMSC; some modems leave it out of status reports as well. */
    bool bare = digits == tpdu && !at_starts(header, "+CMT:");
    return digits == whole || bare || (padded && digits > whole);
}

const char *at_glued_pdu(const char *line)
{
    const char *space = strrchr(line, ' ');
    const char *digit = strpbrk(line, "0123456789"); /* of the header, which comes first */

    return space && digit && digit < space && strlen(space + 1) >= 20 && at_is_hex(space + 1) ? space + 1
                                                                                              : NULL;
}

/* The callback may close the channel, so the first line leaves it before. */
static void deliver_held(struct at_chan *ch, const char *pdu)
{
    struct buf held = ch->urc;

    ch->urc = (struct buf){0};
    ch->second = AT_SECOND_NONE;
    at_arm(ch, AT_TIMER_URC, RT_NEVER);
    ch->ev->urc(ch->owner, &(struct at_urc){.line = buf_str(&held), .pdu = pdu});
    buf_free(&ch->urc);
    ch->urc = held; /* for its memory */
}

void at_urc_give_up(struct at_chan *ch)
{
    deliver_held(ch, NULL);
}

void at_urc_begin(struct at_chan *ch, char *line, int64_t now_ms)
{
    char *pdu = two_lines(line) ? (char *)(uintptr_t)at_glued_pdu(line) : NULL;
    unsigned epoch = ch->epoch;

    if (pdu)
        pdu[-1] = '\0';
    enum at_second second = pdu ? AT_SECOND_NONE : at_urc_second(line);
    if (second != AT_SECOND_NONE && ch->second != AT_SECOND_NONE)
        at_urc_give_up(ch);
    if (ch->epoch != epoch)
        return;
    if (second == AT_SECOND_NONE) {
        ch->ev->urc(ch->owner, &(struct at_urc){.line = line, .pdu = pdu});
        return;
    }
    buf_clear(&ch->urc);
    buf_adds(&ch->urc, line);
    ch->second = second;
    at_arm(ch, AT_TIMER_URC, now_ms + AT_SECOND_LINE_MS);
}

static bool ussd_goes_on(struct at_chan *ch, const char *line)
{
    struct at_result r;
    const char *rest;

    if (at_final(line, false, &r, &rest) || at_urc_kind(ch, line) == AT_URC_KNOWN)
        return false;
    if (ch->flight && ch->flight->prefix && *ch->flight->prefix && at_starts(line, ch->flight->prefix))
        return false;
    buf_addc(&ch->urc, '\n');
    buf_adds(&ch->urc, line);
    if (strchr(line, '"') || ch->urc.len > AT_LINE_BYTES)
        deliver_held(ch, NULL);
    return true;
}

bool at_urc_continue(struct at_chan *ch, char *line)
{
    switch (ch->second) {
    case AT_SECOND_NONE:
        return false;
    case AT_SECOND_PDU:
        /* A listing's PDU may come in between; then only the exact length tells them apart. */
        if (!at_urc_pdu_fits(buf_str(&ch->urc), line, !ch->pdu_wanted))
            return false;
        deliver_held(ch, line);
        return true;
    case AT_SECOND_TEXT:
        deliver_held(ch, NULL);
        return true;
    case AT_SECOND_USSD:
        return ussd_goes_on(ch, line);
    }
    return false;
}
