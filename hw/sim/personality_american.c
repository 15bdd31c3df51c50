/* Personalities of Sierra Wireless modems, and of those with Wavecom's core, which became Sierra's. */
#include "hw/sim/personality.h"
#include "hw/sim/sim_int.h"

static const struct simside_interface uart[] = {{0, SIMSIDE_AT, 0, 0}};
static const struct simside_interface mc7455_interfaces[] = {
    {0, SIMSIDE_DIAG, 0xFF, 0xFF},
    {2, SIMSIDE_GPS, 0xFF, 0xFF},
    {3, SIMSIDE_AT, 0xFF, 0xFF},
};

static const char *const mc7455_noise[] = {"+PACSP1", "+CSQ: {rssi},99", NULL};
static const char *const q24_noise[] = {"+WIND: 7", "+WIND: 10,\"SM\",1", NULL};

static const struct personality_answer mc7455_answers[] = {
    {.ask = "!GPSEND=0*", .then = DO_GPS_OFF},
    {.ask = "!GPSTRACK=*", .then = DO_GPS_ON},
    {.ask = "!GSTATUS?",
     .say = "!GSTATUS:\nCurrent Time: 1234  Temperature: 36\nSystem mode: LTE  PS state: Attached"},
    {.ask = "!ENTERCND=*"},
    {.ask = "!RESET", .then = DO_RESTART},
    {.ask = "+ICCID", .say = "ICCID: {iccid}"},
    {.ask = "+CPINC", .say = "+CPINC: {pin},3,{puk},10"},
    {0},
};
static const struct personality_answer q24_answers[] = {
    {.ask = "+WIND=0", .then = DO_QUIET},
    {.ask = "+WIND=*", .then = DO_NOISE},
    {.ask = "+WIND?", .say = "+WIND: 0"},
    {.ask = "+CGMR", .result = SIM_R_ERROR},
    {.ask = "+CPINC", .say = "+CPINC: {pin},3,{puk},10"},
    {.ask = "+CCID", .say = "+CCID: \"{iccid}\""},
    {.ask = "+CSAS*"},
    {.ask = "+W32K=*"},
    {.ask = "+CSMS=?", .say = "+CSMS: (0)"},
    {.ask = "+CPOF*", .then = DO_RESTART},
    {.ask = "+CFUN=1", .then = DO_RESTART},
    {0},
};

const struct personality personalities_american[] = {
    {.name = "sierra-mc7455",
     .help = "LTE module: while GPS is on, OK comes before the PDU and no +CMGS behind it; !RESET",
     .usb = {0x1199, 0x9071, "Sierra Wireless MC7455", "qcserial", mc7455_interfaces, 3},
     .manufacturer = "Sierra Wireless, Incorporated",
     .model = "MC7455",
     .revision = "SWI9X30C_02.24.05.06 r7040 CARMD-EV-FRMWR2 2017/05/19 06:23:09",
     .answers = mc7455_answers,
     .ready_ms = 800,
     .not_ready = SIM_CMS + 314,
     .gone_ms = 5000,
     .noise = mc7455_noise,
     .noise_ms = 30000,
     .cnmi_test = "(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)",
     .cnmi = {0x7, 0xF, 0x5, 0x7, 0x3},
     .csms_test = "(0)",
     .csms_direct = -1,
     .acks = CNMA_ONE,
     .cpms_test = "(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\")",
     .cell = ",C3,1A2D001",
     .ussd_requests = 1u << USSD_BY_CSCS,
     .ussd_answers = USSD_UCS2,
     .quirks = PQ_OK_BEFORE_PDU | PQ_NO_CPINR},
    {.name = "wavecom-q24",
     .help = "GSM module on a serial line: AT+CPIN? without OK, two stores in AT+CPMS, +CME ERROR: 515 "
             "behind a send",
     .usb = {0, 0, "", "", uart, 1},
     .manufacturer = " WAVECOM MODEM",
     .model = " MULTIBAND  900E  1800 ",
     .revision = NULL,
     .ident = " WAVECOM MODEM\n MULTIBAND  900E  1800 ",
     .answers = q24_answers,
     .banner = "+WIND: 3",
     .ready_signs = "+WIND: 4",
     .ready_ms = 3000,
     .not_ready = SIM_CME + 515,
     .noise = q24_noise,
     .noise_ms = 40000,
     .cnmi_test = "(0-2),(0-3),(0,2,3),(0-2),(0,1)",
     .cnmi = {0x4, 0xF, 0xD, 0x7, 0x3},
     .csms_test = "(0)",
     .csms_direct = -1,
     .acks = CNMA_PLAIN,
     .cpms_test = "((\"SM\",\"BM\",\"SR\"),(\"SM\"))",
     .cpms_args = 2,
     .sm_slots = 50,
     .no_network = 529,
     .cell = ",\"00C3\",\"A2D0\"",
     .ussd_answers = USSD_BY_CSCS,
     .quirks = PQ_CPIN_WITHOUT_OK | PQ_WAITS_AFTER_SEND | PQ_NO_LTE | PQ_NO_CESQ | PQ_NO_CPINR},
    {0},
};
