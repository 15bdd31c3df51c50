/* Personalities of sticks and modules by Huawei and ZTE (Qualcomm cores): several interfaces, much said
 * unasked, AT+CNMI in mode 1 only, numbers of AT+CREG without quotes.
 */
#include "hw/sim/personality.h"
#include "hw/sim/sim_int.h"

/* All of class 255/255/255: the first is the modem, the highest of 1 to 4 takes commands. */
static const struct simside_interface e173_interfaces[] = {
    {0, SIMSIDE_DATA, 0xFF, 0xFF},
    {3, SIMSIDE_DIAG, 0xFF, 0xFF},
    {4, SIMSIDE_AT, 0xFF, 0xFF},
};
static const struct simside_interface me909_interfaces[] = {
    {0, SIMSIDE_DATA, 2, 1},
    {2, SIMSIDE_AT, 2, 18},
    {3, SIMSIDE_DIAG, 2, 3},
};
static const struct simside_interface mf190_interfaces[] = {
    {0, SIMSIDE_DIAG, 0xFF, 0xFF},
    {1, SIMSIDE_DATA, 0xFF, 0xFF},
    {2, SIMSIDE_AT, 0xFF, 0xFF},
};

static const char *const e173_noise[] = {
    "^RSSI:{rssi}",
    "^MODE:5,4",
    "^CSNR:-63,-12",
    "^DSFLOWRPT:0000003C,00000000,00000000,0000000000000000,0000000000000000,00000000,00000000",
    "^SRVST:2",
    NULL,
};
static const char *const me909_noise[] = {
    "^HCSQ:\"LTE\",49,41,131,22", "^LTERSRP:-95,-10", "^RSSI:{rssi}", "^NDISSTAT:0,,,\"IPV4\"", NULL,
};
static const char *const mf190_noise[] = {
    "+ZPASR: \"HSDPA\"",
    "+ZDONR: \"SimNet\",262,1,\"CS_PS\",\"ROAM_OFF\"",
    "^SCN:0",
    NULL,
};

static const struct personality_answer huawei_answers[] = {
    {.ask = "^CURC=0", .then = DO_QUIET},
    {.ask = "^CURC*", .then = DO_NOISE},
    {.ask = "^CPIN?", .say = "^CPIN: {cpin},{pin},{puk},{pin},10,3"},
    {.ask = "^ICCID?", .say = "^ICCID: {iccid}F"},
    {.ask = "^HCSQ?", .say = "^HCSQ: \"WCDMA\",30,30,58"},
    {.ask = "^SYSINFO", .say = "^SYSINFO:2,3,0,5,1,,4"},
    {.ask = "^U2DIAG=*"},
    {.ask = "^PORTSEL=*"},
    {.ask = "^USSDMODE=*"},
    {.ask = "^RESET", .then = DO_RESTART},
    {.ask = "+CMMS=2", .result = SIM_CMS + 500},
    {.ask = "+CCID", .result = SIM_R_UNKNOWN},
    {.ask = "+CSMS?", .say = "+CSMS: 1,1,1"},
    {0},
};
static const struct personality_answer me909_answers[] = {
    {.ask = "^CURC=0", .then = DO_QUIET},
    {.ask = "^CURC*", .then = DO_NOISE},
    {.ask = "^CPIN?", .say = "^CPIN: {cpin},{pin},{puk},{pin},10,3"},
    {.ask = "^ICCID?", .say = "^ICCID: {iccid}"},
    {.ask = "^HCSQ?", .say = "^HCSQ: \"LTE\",49,41,131,22"},
    {.ask = "^RESET", .then = DO_RESTART},
    {.ask = "+CGSMS*", .say = NULL},
    {0},
};
static const struct personality_answer mf190_answers[] = {
    {.ask = "+CFUN?", .say = "+CFUN: (0-1,4-7),(0-1)"}, /* the test form's answer */
    {.ask = "+ZOPRT=*"},
    {.ask = "+ZPAS?", .say = "+ZPAS: \"HSDPA\",\"CS_PS\""},
    {.ask = "+ZPINPUK=?", .say = "+ZPINPUK: {pin},{puk}"},
    {.ask = "+ZGETICCID", .say = "+ZGETICCID: {iccid}"},
    {0},
};

const struct personality personalities_huawei_zte[] = {
    {.name = "huawei-e173",
     .help = "3G stick: ^RSSI and other noise, AT+CNMI in mode 1 only, USSD as packed hexadecimal, can wedge",
     .usb = {0x12D1, 0x1436, "HUAWEI Mobile", "option", e173_interfaces, 3},
     .manufacturer = "huawei",
     .model = "E173",
     .revision = "11.126.16.04.00",
     .ident = "Manufacturer: huawei\nModel: E173\nRevision: 11.126.16.04.00\nIMEI: {imei}\n+GCAP: "
              "+CGSM,+DS,+ES",
     .answers = huawei_answers,
     .unknown = "COMMAND NOT SUPPORT",
     .banner = "^SIMST:1\n^SRVST:2",
     .ready_signs = "^SRVST:2",
     .ready_ms = 800,
     .not_ready = SIM_CMS + 314,
     .gone_ms = 4000,
     .noise = e173_noise,
     .noise_ms = 20000,
     .wedge_line = "^BOOT:{random},0,0,0,75",
     .full_line = "^SMMEMFULL:\"{store}\"",
     .cnmi_test = "(0-1),(0-3),(0,2),(0-2),(0,1)",
     .cnmi = {0x3, 0xF, 0x5, 0x7, 0x3},
     .acks = CNMA_ZERO | CNMA_TWO,
     .cpms_test = "(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\")",
     .me_slots = 23,
     .index_zero = true,
     .cell = ",C3,1A2D001",
     .ussd_requests = 1u << USSD_PACKED,
     .ussd_answers = USSD_PACKED,
     .ussd_refusal = SIM_R_ERROR,
     .quirks = PQ_CNMI_MODE_1_DIRECT | PQ_NO_LTE | PQ_NO_CESQ | PQ_NO_CPINR},
    {.name = "huawei-me909",
     .help = "LTE module: store names in no list, no store for reports, AT+CSQ tells nothing",
     .usb = {0x12D1, 0x15C1, "HUAWEI Mobile V7R11", "option", me909_interfaces, 3},
     .manufacturer = "Huawei Technologies Co., Ltd.",
     .model = "ME909s-120",
     .revision = "11.617.00.00.00",
     .answers = me909_answers,
     .unknown = "COMMAND NOT SUPPORT",
     .banner = "^SYSSTART",
     .ready_signs = "^SIMST:1",
     .ready_ms = 800,
     .not_ready = SIM_CMS + 314,
     .gone_ms = 4000,
     .noise = me909_noise,
     .noise_ms = 20000,
     .wedge_line = "^BOOT:{random},0,0,0,75",
     .full_line = "^SMMEMFULL: \"{store}\"",
     .cnmi_test = "(0-2),(0-3),(0,2,3),(0-2),(0,1)", /* claims more than it takes */
     .cnmi = {0x3, 0xF, 0x1, 0x3, 0x3},
     .acks = CNMA_ZERO | CNMA_TWO,
     .cpms_test = "\"ME\",\"MT\",\"SM\"",
     .cell = ",\"00C3\",\"01A2D001\",7",
     .signal_untold = true,
     .ussd_requests = 1u << USSD_PACKED | 1u << USSD_UCS2,
     .ussd_answers = USSD_UCS2,
     .ussd_refusal = SIM_R_ERROR,
     .quirks = PQ_CNMI_MODE_1_DIRECT | PQ_NO_CPINR},
    {.name = "zte-mf190",
     .help = "3G stick: busy for a while behind the PIN, +CDS with a comma in front, AT+CFUN? tells nothing",
     .usb = {0x19D2, 0x0117, "ZTE WCDMA Technologies MSM", "option", mf190_interfaces, 3},
     .manufacturer = "ZTE INCORPORATED",
     .model = "MF190",
     .revision = "BD_P673A2V1.0.0B09",
     .answers = mf190_answers,
     .banner = "+ZUSIMR:2",
     .ready_ms = 2500,
     .not_ready = SIM_CME + 14,
     .gone_ms = 4000,
     .noise = mf190_noise,
     .noise_ms = 25000,
     .full_line = "+ZSMMEMFULL: \"{store}\"",
     .cnmi_test = "(0-1),(0-3),(0,2),(0-2),(0,1)",
     .cnmi = {0x3, 0xF, 0x5, 0x7, 0x3},
     .acks = CNMA_ZERO | CNMA_TWO,
     .cpms_test = "(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\")",
     .me_slots = 100,
     .cds = "+CDS: ,",
     .cell = ",C3,1A2D001",
     .ussd_answers = USSD_BY_CSCS,
     .quirks = PQ_CNMI_MODE_1_DIRECT | PQ_NO_LTE | PQ_NO_CESQ | PQ_NO_CPINR | PQ_REPORT_BEFORE_PROMPT},
    {0},
};
