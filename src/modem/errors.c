/* Error numbers of modems and networks: their class, which decides what becomes of the message, and a short
 * name for the history. TS 24.011 8.2.5.4 (RP cause), TS 23.040 9.2.3.22 (TP-FCS), TS 27.005 3.2.5 and TS
 * 27.007 9.2; what lies between or above them is vendors' own and means different things on different modems.
 */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "modem/modem_private.h"

#define OURS      CARRIER_E_OURS
#define PERMANENT CARRIER_E_PERMANENT
#define SIM       CARRIER_E_SIM
#define NETWORK   CARRIER_E_NETWORK
#define MODEM     CARRIER_E_MODEM
#define BUSY      CARRIER_E_BUSY
#define UNCLEAR   CARRIER_E_UNCLEAR
#define ACCEPTED  CARRIER_E_ACCEPTED

struct error_row {
    short number;
    short cls; /* enum carrier_error */
    const char *name;
};

/* Ascending: found by bisection. */
static const struct error_row cms[] = {
    /* RP cause */
    {1, PERMANENT, "unassigned number"},
    {8, SIM, "operator determined barring"},
    {10, SIM, "call barred"},
    {11, UNCLEAR, "reserved"},
    {17, NETWORK, "network failure"},
    {21, UNCLEAR, "short message transfer rejected"},
    {22, NETWORK, "congestion"},
    {27, NETWORK, "destination out of order"},
    {28, PERMANENT, "unidentified subscriber"},
    {29, SIM, "facility rejected"},
    {30, SIM, "unknown subscriber"},
    {38, NETWORK, "network out of order"},
    {41, NETWORK, "temporary failure"},
    {42, NETWORK, "congestion"},
    {47, NETWORK, "resources unavailable"},
    {50, SIM, "facility not subscribed"},
    {69, PERMANENT, "facility not implemented"},
    {81, NETWORK, "invalid short message reference"},
    {95, OURS, "semantically incorrect message"},
    {96, OURS, "invalid mandatory information"},
    {97, OURS, "message type non-existent"},
    {98, NETWORK, "message not compatible with protocol state"},
    {99, OURS, "information element non-existent"},
    {111, NETWORK, "protocol error"},
    {127, NETWORK, "interworking"},
    /* TP-FCS */
    {128, PERMANENT, "telematic interworking not supported"},
    {129, PERMANENT, "type 0 not supported"},
    {130, PERMANENT, "cannot replace message"},
    {143, OURS, "TP-PID error"},
    {144, OURS, "alphabet not supported"},
    {145, OURS, "message class not supported"},
    {159, OURS, "TP-DCS error"},
    {160, PERMANENT, "command cannot be actioned"},
    {161, PERMANENT, "command unsupported"},
    {175, OURS, "TP-Command error"},
    {176, OURS, "TPDU not supported"},
    {192, NETWORK, "service centre busy"},
    {193, SIM, "no service centre subscription"},
    {194, NETWORK, "service centre system failure"},
    {195, PERMANENT, "invalid recipient address"},
    {196, PERMANENT, "recipient barred"},
    {197, ACCEPTED, "duplicate rejected"},
    {198, OURS, "TP-VPF not supported"},
    {199, OURS, "TP-VP not supported"},
    {208, MODEM, "SIM storage full"},
    {209, MODEM, "no SMS storage on the SIM"},
    {210, UNCLEAR, "error in the modem"},
    {211, MODEM, "memory capacity exceeded"},
    {212, BUSY, "SIM toolkit busy"},
    {213, UNCLEAR, "SIM data download error"},
    {255, NETWORK, "unspecified"},
    /* the modem itself */
    {300, UNCLEAR, "ME failure"},
    {301, BUSY, "SMS service of ME reserved"},
    {302, MODEM, "operation not allowed"},
    {303, OURS, "operation not supported"},
    {304, OURS, "invalid PDU mode parameter"},
    {305, OURS, "invalid text mode parameter"},
    {310, SIM, "SIM not inserted"},
    {311, SIM, "SIM PIN required"},
    {312, SIM, "PH-SIM PIN required"},
    {313, SIM, "SIM failure"},
    {314, BUSY, "SIM busy"},
    {315, SIM, "SIM wrong"},
    {316, SIM, "SIM PUK required"},
    {317, SIM, "SIM PIN2 required"},
    {318, SIM, "SIM PUK2 required"},
    {320, MODEM, "memory failure"},
    {321, MODEM, "invalid memory index"},
    {322, MODEM, "memory full"},
    {330, OURS, "SMSC address unknown"},
    {331, NETWORK, "no network service"},
    {332, NETWORK, "network timeout"},
    {340, UNCLEAR, "no acknowledgement expected"},
    {341, MODEM, "memory failure"},
    {350, UNCLEAR, "cancelled"},
    {500, UNCLEAR, "unknown error"},
    /* vendors' numbers: only what means about the same on those that have them */
    {512, UNCLEAR, "vendor: not ready or user abort"},
    {513, UNCLEAR, "vendor: lower layer failure"},
    {515, BUSY, "vendor: please wait"},
};

static const struct error_row cme[] = {
    {0, UNCLEAR, "phone failure"},
    {1, UNCLEAR, "no connection to phone"},
    {2, BUSY, "phone adaptor link reserved"},
    {3, MODEM, "operation not allowed"},
    {4, OURS, "operation not supported"},
    {5, SIM, "PH-SIM PIN required"},
    {6, SIM, "PH-FSIM PIN required"},
    {7, SIM, "PH-FSIM PUK required"},
    {10, SIM, "SIM not inserted"},
    {11, SIM, "SIM PIN required"},
    {12, SIM, "SIM PUK required"},
    {13, SIM, "SIM failure"},
    {14, BUSY, "SIM busy"},
    {15, SIM, "SIM wrong"},
    {16, SIM, "incorrect password"},
    {17, SIM, "SIM PIN2 required"},
    {18, SIM, "SIM PUK2 required"},
    {20, MODEM, "memory full"},
    {21, MODEM, "invalid index"},
    {22, MODEM, "not found"},
    {23, MODEM, "memory failure"},
    {24, OURS, "text string too long"},
    {25, OURS, "invalid characters in text string"},
    {26, OURS, "dial string too long"},
    {27, OURS, "invalid characters in dial string"},
    {30, NETWORK, "no network service"},
    {31, NETWORK, "network timeout"},
    {32, NETWORK, "emergency calls only"},
    {40, SIM, "network personalisation PIN required"},
    {50, OURS, "incorrect parameters"},
    {100, UNCLEAR, "unknown"},
    {103, SIM, "illegal MS"},
    {106, SIM, "illegal ME"},
    {107, NETWORK, "GPRS services not allowed"},
    {111, NETWORK, "PLMN not allowed"},
    {112, NETWORK, "location area not allowed"},
    {113, NETWORK, "roaming not allowed"},
    {515, BUSY, "please wait"},
};

static const struct error_row *find(const struct error_row *rows, size_t n, int number)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (rows[mid].number == number)
            return &rows[mid];
        if (rows[mid].number < number)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

static const struct error_row *row_of(const struct at_result *r)
{
    if (r->code == AT_CMS_ERROR)
        return find(cms, ARRAY_LEN(cms), r->number);
    if (r->code == AT_CME_ERROR)
        return find(cme, ARRAY_LEN(cme), r->number);
    return NULL;
}

const struct profile_error *errors_vendor(const struct modem *m, const struct at_result *r)
{
    for (int i = 0; r->code == AT_CMS_ERROR && i < m->profile->nerrors; i++) {
        if (m->profile->errors[i].code == r->number)
            return &m->profile->errors[i];
    }
    return NULL;
}

enum carrier_error errors_class(const struct at_result *r)
{
    const struct error_row *row = row_of(r);

    if (r->code == AT_OK)
        return CARRIER_E_NONE;
    if (r->code == AT_TIMEOUT || r->code == AT_CLOSED)
        return CARRIER_E_MODEM;
    return row ? (enum carrier_error)row->cls : CARRIER_E_UNCLEAR;
}

static const char *const words[] = {
    [AT_OK] = "OK",
    [AT_ERROR] = "ERROR",
    [AT_CMS_ERROR] = "+CMS ERROR",
    [AT_CME_ERROR] = "+CME ERROR",
    [AT_NO_CARRIER] = "NO CARRIER",
    [AT_TIMEOUT] = "no answer in time",
    [AT_CLOSED] = "the line was closed",
};

void errors_text(const struct at_result *r, char *out, size_t size)
{
    const struct error_row *row = row_of(r);

    if (row)
        snprintf(out, size, "%s: %d (%s)", words[r->code], r->number, row->name);
    else if (r->number >= 0 && (r->code == AT_CMS_ERROR || r->code == AT_CME_ERROR))
        snprintf(out, size, "%s: %d", words[r->code], r->number);
    else
        snprintf(out, size, "%s", words[r->code]);
}

int errors_code(const struct at_result *r)
{
    enum { CME_OFFSET = 1000 };

    if (r->number < 0)
        return -1;
    if (r->code == AT_CMS_ERROR)
        return r->number;
    return r->code == AT_CME_ERROR ? CME_OFFSET + r->number : -1;
}
