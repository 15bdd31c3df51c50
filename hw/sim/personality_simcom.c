/* Personalities of SIMCom modules: a serial one for GSM, and two for LTE on USB. They say when SMS commands
 * work, and refuse them before.
 */
#include "hw/sim/personality.h"
#include "hw/sim/sim_int.h"

static const struct simside_interface uart[] = {{0, SIMSIDE_AT, 0, 0}};
static const struct simside_interface sim7600_interfaces[] = {
    {0, SIMSIDE_DIAG, 0xFF, 0xFF}, {1, SIMSIDE_GPS, 0xFF, 0xFF}, {2, SIMSIDE_AT, 0xFF, 0xFF},
    {3, SIMSIDE_DATA, 0xFF, 0xFF}, {4, SIMSIDE_AUX, 0xFF, 0xFF},
};
static const struct simside_interface a7670_interfaces[] = {
    {2, SIMSIDE_DIAG, 0xFF, 0xFF},
    {4, SIMSIDE_AT, 0xFF, 0xFF},
    {5, SIMSIDE_DATA, 0xFF, 0xFF},
};

static const char *const sim800_noise[] = {
    "*PSNWID: \"262\",\"01\", \"SimNet\", 0, \"SimNet\", 0",
    "*PSUTTZ: 2026,11,22,10,15,0,\"+4\",0",
    "DST: 0",
    "+CSQN: {rssi},0",
    NULL,
};
static const char *const sim7600_noise[] = {
    "+CNSMOD: 1,8", "+CSQ: {rssi},99", "+NITZ: 26/11/22,10:15:00,+4", "+CIEV: \"service\",1", NULL,
};
static const char *const a7670_noise[] = {"+CSQ: {rssi},99", "+CNSMOD: 1,8", NULL};

static const struct personality_answer sim800_answers[] = {
    {.ask = "+CLTS=0", .then = DO_QUIET},
    {.ask = "+CLTS*", .then = DO_NOISE},
    {.ask = "+EXUNSOL=*"},
    {.ask = "+CSCLK=*"},
    {.ask = "+SPIC", .say = "+SPIC: {pin},{pin},{puk},10"},
    {.ask = "+CCID", .say = "{iccid}"},
    {.ask = "+CSDT=*"},
    {0},
};
static const struct personality_answer sim7600_answers[] = {
    {.ask = "+CNSMOD=0", .then = DO_QUIET},
    {.ask = "+CNSMOD*", .then = DO_NOISE},
    {.ask = "+AUTOCSQ=*"},
    {.ask = "+CSCLK=*"},
    {.ask = "+CGSMS*"},
    {.ask = "+CNMP=*"},
    {.ask = "+SPIC", .say = "+SPIC: {pin},{puk},{pin},10"},
    {.ask = "+CICCID", .say = "+ICCID: {iccid}"},
    {.ask = "+CCID", .result = SIM_R_ERROR},
    {.ask = "+CPSI?",
     .say = "+CPSI: LTE,Online,262-01,0x00C3,27447297,245,EUTRAN-BAND20,6300,3,3,-105,-961,-668,14"},
    {.ask = "+CRESET", .then = DO_RESTART},
    {.ask = "+CFUN=6", .then = DO_RESTART},
    {0},
};

const struct personality personalities_simcom[] = {
    {.name = "simcom-sim800",
     .help = "GSM module on a serial line: SMS Ready, no reports by way of a store, clock and network noise",
     .usb = {0, 0, "", "", uart, 1},
     .manufacturer = "SIMCOM_Ltd",
     .model = "SIMCOM_SIM800L",
     .revision = "Revision:1418B05SIM800L24",
     .ident = "SIM800 R14.18",
     .answers = sim800_answers,
     .banner = "RDY\n+CFUN: 1\n+CPIN: {cpin}",
     .ready_signs = "Call Ready\nSMS Ready",
     .ready_ms = 1500,
     .not_ready = SIM_R_ERROR,
     .noise = sim800_noise,
     .noise_ms = 30000,
     .cnmi_test = "(0-3),(0-3),(0,2),(0,1),(0,1)",
     .cnmi = {0xF, 0xF, 0x5, 0x3, 0x3},
     .acks = CNMA_PLAIN | CNMA_ZERO | CNMA_ONE | CNMA_TWO,
     .cpms_test =
         "(\"SM\",\"ME\",\"SM_P\",\"ME_P\",\"MT\"),(\"SM\",\"ME\",\"SM_P\",\"ME_P\",\"MT\"),(\"SM\",\"ME\","
         "\"SM_P\",\"ME_P\",\"MT\")",
     .me_slots = 30,
     .cmt = "+CMT: \"\",",
     .ussd_answers = USSD_BY_CSCS,
     .quirks = PQ_NO_LTE | PQ_NO_CESQ | PQ_NO_CPINR},
    {.name = "simcom-sim7600",
     .help = "LTE module: SMS DONE, lines that end in CR CR LF, indexes from 0, +CSQ and +NITZ unasked",
     .usb = {0x1E0E, 0x9001, "SimTech, Incorporated", "option", sim7600_interfaces, 5},
     .manufacturer = "SIMCOM INCORPORATED",
     .model = "SIMCOM_SIM7600E-H",
     .revision = "+CGMR: LE20B03SIM7600M22",
     .ident = "Manufacturer: SIMCOM INCORPORATED\nModel: SIMCOM_SIM7600E-H\nRevision: "
              "SIM7600M22_V1.1\nIMEI: {imei}\n+GCAP: +CGSM",
     .answers = sim7600_answers,
     .urc_end = "\r\r\n",
     .banner = "RDY\n+CPIN: {cpin}",
     .ready_signs = "SMS DONE\nPB DONE",
     .ready_ms = 1200,
     .not_ready = SIM_CMS + 314,
     .gone_ms = 4000,
     .noise = sim7600_noise,
     .noise_ms = 20000,
     .full_line = "+SMS FULL",
     .cnmi_test = "(0,1,2),(0,1,2,3),(0,2,3),(0,1,2),(0,1)",
     .cnmi = {0x7, 0xF, 0xD, 0x7, 0x3},
     .acks = CNMA_PLAIN | CNMA_ZERO | CNMA_ONE | CNMA_TWO,
     .cpms_test = "(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\"),(\"ME\",\"MT\",\"SM\",\"SR\")",
     .me_slots = 23,
     .index_zero = true,
     .cell = ",C3,1A2D001",
     .ussd_answers = USSD_BY_CSCS,
     .quirks = PQ_NO_CPINR},
    {.name = "simcom-a7670",
     .help = "LTE module (ASR core): *ATREADY, registered for messages only (+CREG: 6), +SMS FULL",
     .usb = {0x1E0E, 0x9011, "SimTech, Incorporated", "option", a7670_interfaces, 3},
     .manufacturer = "INCORPORATED",
     .model = "A7670E-FASE",
     .revision = "+CGMR: A110B02A7670M7",
     .ident = "Manufacturer: INCORPORATED\nModel: A7670E-FASE\nRevision: V1.11.1\nIMEI: {imei}",
     .answers = sim7600_answers,
     .banner = "*ATREADY: 1\n+CPIN: {cpin}",
     .ready_signs = "SMS DONE",
     .ready_ms = 1200,
     .not_ready = SIM_R_ERROR,
     .gone_ms = 4000,
     .noise = a7670_noise,
     .noise_ms = 20000,
     .full_line = "+SMS FULL",
     .cnmi_test = "(0,1,2),(0,1,2,3),(0,2),(0,1,2),(0,1)",
     .cnmi = {0x7, 0xF, 0x5, 0x3, 0x3},
     .acks = CNMA_PLAIN | CNMA_ZERO | CNMA_ONE | CNMA_TWO,
     .cpms_test = "(\"ME\",\"SM\",\"MT\"),(\"ME\",\"SM\",\"MT\"),(\"ME\",\"SM\",\"MT\")",
     .me_slots = 180,
     .cell = ",\"00C3\",\"01A2D001\",7",
     .creg = REG_SMS_ONLY,
     .ussd_answers = USSD_BY_CSCS,
     .quirks = PQ_NO_CPINR},
    {0},
};
