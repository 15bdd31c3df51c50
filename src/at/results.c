/* Final results: V.250 5.7.1, TS 27.005 3.2.5 (+CMS ERROR), TS 27.007 9.2 (+CME ERROR), and those that
 * vendors added. With +CMEE=2, or on modems that ignore +CMEE, the errors are words; they become numbers
 * here.
 *
 * A result is the whole line. "ERROR+CNUM: …" (Huawei, the line end is lost) is the one exception.
 */
#include <ctype.h>
#include <limits.h>

#include "at/internal.h"

enum form {
    WHOLE,    /* nothing may follow */
    GLUED,    /* a '+' may follow: the next line */
    NUMBERED, /* an error number or its text follows */
};

static const struct {
    const char *text;
    enum at_code code;
    enum form form;
    bool dial; /* ends a dial command only; at other times it is unsolicited */
} finals[] = {
    {"OK", AT_OK, WHOLE, false},
    {"ERROR", AT_ERROR, GLUED, false},
    {"+CMS ERROR:", AT_CMS_ERROR, NUMBERED, false},
    {"+CME ERROR:", AT_CME_ERROR, NUMBERED, false},
    {"+EXT ERROR:", AT_ERROR, NUMBERED, false},      /* Telit */
    {"MODEM ERROR:", AT_ERROR, NUMBERED, false},     /* Motorola */
    {"COMMAND NOT SUPPORT", AT_ERROR, WHOLE, false}, /* Huawei */
    {"TOO MANY PARAMETERS", AT_ERROR, WHOLE, false}, /* Huawei */
    {"NA", AT_ERROR, WHOLE, false},
    {"NO CARRIER", AT_NO_CARRIER, WHOLE, true},
    {"NO ANSWER", AT_NO_CARRIER, WHOLE, true},
    {"NO DIALTONE", AT_NO_CARRIER, WHOLE, true},
    {"NO DIAL TONE", AT_NO_CARRIER, WHOLE, true},
    {"BUSY", AT_NO_CARRIER, WHOLE, true},
    {"CONNECT", AT_OK, WHOLE, true},
};

struct text {
    const char *text; /* lower case, letters and digits only */
    int number;
};

/* TS 27.005 3.2.5, and the causes of TS 24.011 8.2.3 that modems spell out. */
static const struct text cms_texts[] = {
    {"unassignednumber", 1},
    {"unassignedunallocatednumber", 1},
    {"operatordeterminedbarring", 8},
    {"callbarred", 10},
    {"shortmessagetransferrejected", 21},
    {"destinationoutoforder", 27},
    {"destinationoutofservice", 27},
    {"unidentifiedsubscriber", 28},
    {"facilityrejected", 29},
    {"unknownsubscriber", 30},
    {"networkoutoforder", 38},
    {"temporaryfailure", 41},
    {"congestion", 42},
    {"resourcesunavailable", 47},
    {"resourcesunavailableunspecified", 47},
    {"requestedfacilitynotsubscribed", 50},
    {"requestedfacilitynotimplemented", 69},
    {"protocolerrorunspecified", 111},
    {"interworkingunspecified", 127},
    {"mefailure", 300},
    {"smsserviceofmereserved", 301},
    {"smsservicereserved", 301},
    {"operationnotallowed", 302},
    {"operationnotsupported", 303},
    {"invalidpdumodeparameter", 304},
    {"invalidpduparameter", 304},
    {"invalidtextmodeparameter", 305},
    {"invalidtextparameter", 305},
    {"simnotinserted", 310},
    {"simpinrequired", 311},
    {"simpinnecessary", 311},
    {"phsimpinrequired", 312},
    {"phsimpinnecessary", 312},
    {"simfailure", 313},
    {"simbusy", 314},
    {"simwrong", 315},
    {"simpukrequired", 316},
    {"simpin2required", 317},
    {"simpuk2required", 318},
    {"memoryfailure", 320},
    {"invalidmemoryindex", 321},
    {"invalidindex", 321},
    {"memoryfull", 322},
    {"smscaddressunknown", 330},
    {"nonetworkservice", 331},
    {"nonetwork", 331},
    {"networktimeout", 332},
    {"nocnmaacknowledgementexpected", 340},
    {"nocnmaackexpected", 340},
    {"unknownerror", 500},
    {"unknown", 500},
};

/* TS 27.007 9.2.1. */
static const struct text cme_texts[] = {
    {"phonefailure", 0},
    {"noconnectiontophone", 1},
    {"phoneadaptorlinkreserved", 2},
    {"phoneadapterlinkreserved", 2},
    {"operationnotallowed", 3},
    {"operationnotsupported", 4},
    {"phsimpinrequired", 5},
    {"phfsimpinrequired", 6},
    {"phfsimpukrequired", 7},
    {"simnotinserted", 10},
    {"simpinrequired", 11},
    {"simpukrequired", 12},
    {"simfailure", 13},
    {"simbusy", 14},
    {"simwrong", 15},
    {"incorrectpassword", 16},
    {"simpin2required", 17},
    {"simpuk2required", 18},
    {"memoryfull", 20},
    {"invalidindex", 21},
    {"notfound", 22},
    {"memoryfailure", 23},
    {"textstringtoolong", 24},
    {"invalidcharactersintextstring", 25},
    {"dialstringtoolong", 26},
    {"invalidcharactersindialstring", 27},
    {"nonetworkservice", 30},
    {"networktimeout", 31},
    {"networknotallowedemergencycallsonly", 32},
    {"emergencycallsonly", 32},
    {"networkpersonalizationpinrequired", 40},
    {"networkpersonalisationpinrequired", 40},
    {"networkpersonalizationpukrequired", 41},
    {"networkpersonalisationpukrequired", 41},
    {"serviceproviderpersonalizationpinrequired", 44},
    {"serviceproviderpersonalisationpinrequired", 44},
    {"corporatepersonalizationpinrequired", 46},
    {"corporatepersonalisationpinrequired", 46},
    {"incorrectparameters", 50},
    {"unknown", 100},
    {"unknownerror", 100},
    {"illegalms", 103},
    {"illegalme", 106},
    {"gprsservicesnotallowed", 107},
    {"plmnnotallowed", 111},
    {"locationareanotallowed", 112},
    {"roamingnotallowedinthislocationarea", 113},
    {"serviceoptionnotsupported", 132},
    {"requestedserviceoptionnotsubscribed", 133},
    {"serviceoptiontemporarilyoutoforder", 134},
    {"unspecifiedgprserror", 148},
    {"pdpauthenticationfailure", 149},
    {"invalidmobileclass", 150},
};

static int number_of_text(const struct text *table, size_t n, const char *text)
{
    char plain[64];
    size_t len = 0;

    for (; *text && len + 1 < sizeof plain; text++) {
        if (isalnum((unsigned char)*text))
            plain[len++] = (char)tolower((unsigned char)*text);
    }
    plain[len] = '\0';
    for (size_t i = 0; i < n; i++) {
        if (strcmp(table[i].text, plain) == 0)
            return table[i].number;
    }
    return -1;
}

static int error_number(enum at_code code, const char *text)
{
    struct at_cur c = at_cur_after(text, "");
    int64_t number;

    if (at_cur_number(&c, &number))
        return number >= 0 && number <= INT_MAX ? (int)number : -1;
    if (code == AT_CMS_ERROR)
        return number_of_text(cms_texts, sizeof cms_texts / sizeof *cms_texts, text);
    if (code == AT_CME_ERROR)
        return number_of_text(cme_texts, sizeof cme_texts / sizeof *cme_texts, text);
    return -1;
}

static bool rest_fits(enum form form, const char *rest)
{
    return form == NUMBERED || *rest == '\0' || (form == GLUED && *rest == '+');
}

bool at_final(const char *line, bool dial, struct at_result *out, const char **rest)
{
    *rest = NULL;
    for (size_t i = 0; i < sizeof finals / sizeof *finals; i++) {
        if (line[0] != finals[i].text[0] || !at_starts(line, finals[i].text) || (finals[i].dial && !dial))
            continue;
        const char *behind = line + strlen(finals[i].text);
        if (!rest_fits(finals[i].form, behind))
            continue;
        *out = (struct at_result){.code = finals[i].code, .number = -1};
        if (finals[i].form == NUMBERED)
            out->number = error_number(finals[i].code, behind);
        else if (*behind)
            *rest = behind;
        return true;
    }
    return false;
}
