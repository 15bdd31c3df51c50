/* Modems that are known by IMEI, SIM or USB device, on sticks with several ports. */
#include "modem/finder.h"
#include "tests/lib/modem_test.h"

enum { STICK = 4 };

/* ---- profiles, from what the simulated sticks are ---- */

static const enum profile_role role_of_kind[] = {
    [SIMSIDE_AT] = ROLE_AT,   [SIMSIDE_DATA] = ROLE_DATA, [SIMSIDE_DIAG] = ROLE_DIAG,
    [SIMSIDE_GPS] = ROLE_GPS, [SIMSIDE_AUX] = ROLE_AUDIO,
};

static const struct profile_other_mode other_modes[] = {
    {0x12d1, 0x1446, PROFILE_MODE_DISK, "E173"},
    {0x12d1, 0x14db, PROFILE_MODE_HILINK, "E3372"},
};

static const char *const families[] = {"simcom-sim7600", "quectel-ec25", "huawei-e173"};

/* All of them, in one profile. */
static const struct profile_set *known(void)
{
    static struct profile_usb rows[ARRAY_LEN(families)];
    static struct profile profile;
    static const struct profile *const list[] = {&profile};
    static const struct profile_set set = {list, 1};

    for (size_t f = 0; f < ARRAY_LEN(families); f++) {
        const struct simside_usb *u = simside_usb_of(families[f]);
        rows[f] = (struct profile_usb){.vendor = u->vendor, .product = u->product, .model = ""};
        for (size_t i = 0; i < u->count; i++)
            rows[f].roles[u->interfaces[i].number] = (uint8_t)role_of_kind[u->interfaces[i].kind];
    }
    profile = profile_generic;
    profile.usb = rows;
    profile.nusb = ARRAY_LEN(rows);
    profile.other_modes = other_modes;
    profile.nother_modes = ARRAY_LEN(other_modes);
    return &set;
}

static struct simmodem_info info_of(const struct unit *u)
{
    struct simmodem_info info;

    simmodem_info(u->sim, &info);
    return info;
}

/* A stick at this place; its modem is not told which one is its own. */
static struct unit *add_stick(struct rig *r, const char *personality, const char *usb_path)
{
    return rig_add(r,
                   &(struct rig_conf){.personality = personality, .usb_path = usb_path, .profiles = known()});
}

static struct unit *add_by_imei(struct rig *r, const char *personality, const char *usb_path)
{
    struct unit *u = add_stick(r, personality, usb_path);

    u->conf.imei = info_of(u).imei;
    return u;
}

/* The modem is ready, and the IMEI it read is that of its own simulated modem. */
static bool on_its_own(const struct unit *u)
{
    return status_of(u).state == MODEM_READY && strcmp(u->carrier->imei, info_of(u).imei) == 0;
}

static void assert_own(struct rig *r, struct unit *u, int64_t for_ms)
{
    if (!rig_until(r, u, MODEM_READY, for_ms))
        print_message("%s: %s: %s\n", u->name, modem_state_name(status_of(u).state), status_of(u).reason);
    assert_true(on_its_own(u));
}

static void assert_reason(const struct unit *u, const char *part)
{
    if (!strstr(status_of(u).reason, part))
        fail_msg("%s: \"%s\" has no \"%s\"", modem_state_name(status_of(u).state), status_of(u).reason, part);
}

/* ---- complaint 6: USB paths change, two identical sticks ---- */

/* Complaint 6: two sticks of one model, even with the same serial number, are told apart by IMEI, whatever
 * their ttys are called, and still when somebody has swapped them. */
static void complaint_06_identical_sticks(void **state)
{
    struct rig *r = *state;
    struct rig_conf c = {.personality = "simcom-sim7600", .serial = "0123456789ABCDEF", .profiles = known()};

    c.usb_path = "1-1.1";
    struct unit *a = rig_add(r, &c);
    c.usb_path = "1-1.2";
    struct unit *b = rig_add(r, &c);
    a->conf.imei = info_of(a).imei;
    b->conf.imei = info_of(b).imei;
    modem_start(b->modem);
    modem_start(a->modem);
    assert_own(r, a, 60000);
    assert_own(r, b, 60000);
    port_sim_unplug_stick(r->bus, "1-1.1");
    port_sim_unplug_stick(r->bus, "1-1.2");
    rig_run(r, 1000);
    assert_int_equal(status_of(a).state, MODEM_ABSENT);
    port_sim_plug_stick(r->bus, "1-1.2", c.serial, a->sim);
    port_sim_plug_stick(r->bus, "1-1.1", c.serial, b->sim);
    assert_own(r, a, 60000);
    assert_own(r, b, 60000);
}

/* Complaint 6: a modem that is configured by its place is the stick that is plugged there. */
static void complaint_06_by_place(void **state)
{
    struct rig *r = *state;
    struct rig_conf c = {.personality = "huawei-e173", .profiles = known()};

    for (int i = 0; i < 2; i++) {
        c.usb_path = c.usb = i ? "1-1.4" : "1-1.3";
        modem_start(rig_add(r, &c)->modem);
    }
    assert_own(r, &r->units[0], 60000);
    assert_own(r, &r->units[1], 60000);
    assert_string_equal(status_of(&r->units[0]).port, port_sim_tty(r->bus, "1-1.3", -1));
    assert_string_equal(status_of(&r->units[1]).port, port_sim_tty(r->bus, "1-1.4", -1));
}

/* Complaint 6: a serial number that two sticks have tells neither: which places there are is said, nothing
 * is opened by it, and another modem may have one of them by its IMEI. With one of them it is enough. */
static void complaint_06_same_serial(void **state)
{
    struct rig *r = *state;
    struct rig_conf c = {.personality = "huawei-e173",
                         .serial = "0123456789ABCDEF",
                         .usb = "0123456789ABCDEF",
                         .usb_path = "1-1.3",
                         .profiles = known()};
    struct unit *u = rig_add(r, &c);

    c.usb_path = "2-1";
    struct unit *other = rig_add(r, &c);
    modem_start(u->modem);
    rig_run(r, 30000);
    assert_int_equal(status_of(u).state, MODEM_ABSENT);
    assert_reason(u, "1-1.3");
    assert_reason(u, "2-1");
    assert_int_equal(port_sim_opens(r->bus), 0);
    other->conf.imei = info_of(other).imei;
    other->conf.usb = "";
    modem_start(other->modem);
    assert_own(r, other, 60000);
    port_sim_unplug_stick(r->bus, "2-1");
    assert_own(r, u, 60000);
}

/* The SIM alone says which modem it is, by either of its numbers; it may move to another stick. */
static void by_sim(void **state)
{
    struct rig *r = *state;
    struct rig_conf c = {.personality = "quectel-ec25", .profiles = known()};
    static const char *const paths[] = {"1-1", "1-2", "1-3", "1-4"};

    for (int i = 0; i < STICK; i++) {
        c.usb_path = paths[i];
        rig_add(r, &c);
    }
    for (int i = 0; i < STICK; i++) {
        struct unit *u = &r->units[i];
        *(i % 2 ? &u->conf.imsi : &u->conf.iccid) = i % 2 ? info_of(u).imsi : info_of(u).iccid;
        modem_start(u->modem);
    }
    for (int i = 0; i < STICK; i++)
        assert_own(r, &r->units[i], 120000);
}

/* ---- property: any order, any numbers ---- */

static void draw_identity(struct rig *r, struct unit *u, const char *path)
{
    struct simmodem_info info = info_of(u);

    switch (rt_sim_random(r->rt, 5)) {
    case 0:
        u->conf.imei = info.imei;
        break;
    case 1:
        u->conf.imsi = info.imsi;
        break;
    case 2:
        u->conf.iccid = info.iccid;
        break;
    case 3:
        u->conf.usb = path;
        break;
    default:
        u->conf.imei = info.imei;
        u->conf.iccid = info.iccid;
        u->conf.usb = path;
        break;
    }
}

/* Whatever the order in which sticks are plugged and the numbers that their ttys get, with their roles known
 * or not, every modem ends on its own stick; no port for positions, diagnostics or sound that a profile names
 * is ever opened. */
static void any_order_any_numbers(void **state)
{
    enum { ROUNDS = 60, STICKS = 6 };
    static const char *const paths[] = {"1-1.1", "1-1.2", "1-1.3", "1-1.4", "2-1", "2-2"};
    uint64_t seed = rt_sim_seed(1);

    (void)state;
    for (uint64_t n = 0; n < ROUNDS; n++) {
        struct rig *r = rig_new(seed + n);
        struct rig_conf c = {.profiles = known(), .serial = "123456"};

        port_sim_shuffle(r->bus, true);
        port_sim_deaf(r->bus, n % 3 == 0);
        for (int i = 0; i < STICKS; i++) {
            c.personality = families[rt_sim_random(r->rt, 3)];
            c.usb_path = paths[i];
            draw_identity(r, rig_add(r, &c), paths[i]);
        }
        for (int i = 0; i < STICKS; i++) { /* some are there from the start, the others come by and by */
            if (rt_sim_random(r->rt, 2)) {
                port_sim_unplug_stick(r->bus, paths[i]);
                rig_run(r, (int64_t)rt_sim_random(r->rt, 1000));
                port_sim_plug_stick(r->bus, paths[i], "123456", r->units[i].sim);
            }
            modem_start(r->units[i].modem);
            rig_run(r, (int64_t)rt_sim_random(r->rt, 3000));
        }
        for (int i = 0; i < STICKS; i++) {
            if (!rig_until(r, &r->units[i], MODEM_READY, 240000) || !on_its_own(&r->units[i]))
                fail_msg("SEED=%llu %s: %s: %s", (unsigned long long)(seed + n), r->units[i].name,
                         modem_state_name(status_of(&r->units[i]).state), status_of(&r->units[i]).reason);
        }
        assert_int_equal(port_sim_kind_opens(r->bus, SIMSIDE_GPS), 0);
        assert_int_equal(port_sim_kind_opens(r->bus, SIMSIDE_DIAG), 0);
        assert_int_equal(port_sim_kind_opens(r->bus, SIMSIDE_AUX), 0);
        rig_free(r);
    }
}

/* Of a stick that no profile knows the AT port is found by asking; one that tells positions is left at once,
 * and each is asked by one modem at a time. */
static void unknown_roles(void **state)
{
    struct rig *r = *state;
    struct rig_conf c = {.personality = "simcom-sim7600", .usb_path = "1-1"};
    struct unit *u = rig_add(r, &c);

    u->conf.imei = info_of(u).imei;
    modem_start(u->modem);
    assert_own(r, u, 240000);
    assert_string_equal(status_of(u).port, port_sim_tty(r->bus, "1-1", -1));
}

/* A port that speaks no text is left as soon as that is seen, not when it has been silent long enough. */
static void binary_port(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.port = "", .imei = "350000000000000"});
    uint8_t frame[30];

    memset(frame, 0x7E, sizeof(frame));
    memset(frame + 1, 0x81, sizeof(frame) - 2);
    rig_fault(r, u, "silence", "100000000");
    modem_start(u->modem);
    rig_run(r, 500);
    assert_int_equal(status_of(u).state, MODEM_PROBING);
    finder_heard(u->modem, frame, sizeof(frame));
    rig_run(r, 1);
    assert_int_equal(status_of(u).state, MODEM_ABSENT);
    assert_reason(u, "speaks no text");
}

/* ---- nothing is disturbed ---- */

/* A stick that another modem is configured to be on is left to it, all of its ports, also while that modem
 * cannot use it. */
static void others_are_left_alone(void **state)
{
    struct rig *r = *state;
    struct unit *a = rig_add(r, &(struct rig_conf){.personality = "quectel-ec25", .usb_path = "1-1"});
    struct unit *b = rig_add(r, &(struct rig_conf){.usb_path = "9-1", .imei = "350000000000000"});

    a->conf.port = port_sim_tty(r->bus, "1-1", -1);
    port_sim_busy(r->bus, a->conf.port, true);
    port_sim_unplug_stick(r->bus, "9-1");
    modem_start(a->modem);
    modem_start(b->modem);
    rig_run(r, 300000);
    assert_int_equal(status_of(b).state, MODEM_ABSENT);
    for (enum simside_kind k = SIMSIDE_AT; k <= SIMSIDE_AUX; k++)
        assert_int_equal(port_sim_kind_opens(r->bus, k), 0);
}

/* A PIN is not tried on a SIM of which nothing is known but that it asks for one. With the card's number,
 * which is told before, it is. */
static void pin_for_no_stranger(void **state)
{
    struct rig *r = *state;
    struct rig_conf c = {.personality = "quectel-ec25",
                         .usb_path = "1-1",
                         .sim_pin = "1234",
                         .pin = "1234",
                         .profiles = known()};
    struct unit *u = rig_add(r, &c);
    int tries = info_of(u).pin_tries;

    u->conf.imsi = info_of(u).imsi;
    u->conf.pin = "9999";
    modem_start(u->modem);
    rig_run(r, 120000);
    assert_int_equal(info_of(u).pin_tries, tries);
    assert_int_equal(status_of(u).state, MODEM_ABSENT);
    assert_reason(u, "PIN");
    rig_kill(r);
    u->conf.pin = "1234";
    u->conf.iccid = info_of(u).iccid;
    rig_revive(r);
    assert_own(r, u, 120000);
}

/* The modem holds another SIM than is configured: it is not used, its PIN is not tried on that SIM, and the
 * reason names both. */
static void another_sim(void **state)
{
    struct rig *r = *state;
    struct rig_conf c = {.sim_pin = "1234", .pin = "9999", .iccid = "89490200001234567890"};
    struct unit *u = rig_add(r, &c);
    int tries = info_of(u).pin_tries;

    modem_start(u->modem);
    rig_run(r, 120000);
    assert_int_equal(info_of(u).pin_tries, tries);
    assert_reason(u, info_of(u).iccid);
    assert_reason(u, "89490200001234567890");
}

/* ---- what is said ---- */

/* A configured port that is known to be the stick's port for positions is not opened; the right one is
 * named. */
static void configured_gps_port(void **state)
{
    struct rig *r = *state;
    struct unit *u = add_stick(r, "simcom-sim7600", "1-1");
    const struct simside_usb *usb = simside_usb_of("simcom-sim7600");

    for (size_t i = 0; i < usb->count; i++) {
        if (usb->interfaces[i].kind == SIMSIDE_GPS)
            u->conf.port = port_sim_tty(r->bus, "1-1", usb->interfaces[i].number);
    }
    assert_true(*u->conf.port);
    modem_start(u->modem);
    rig_run(r, 60000);
    assert_int_equal(port_sim_opens(r->bus), 0);
    assert_reason(u, "GPS port");
    assert_reason(u, port_sim_tty(r->bus, "1-1", -1));
}

/* A stick that is still a CD-ROM with its drivers explains why there is no modem; once it has been switched,
 * it is used at once. */
static void cdrom_mode(void **state)
{
    struct rig *r = *state;
    struct unit *u = add_by_imei(r, "huawei-e173", "1-1.2");

    port_sim_unplug_stick(r->bus, "1-1.2");
    port_sim_usb_plug(r->bus,
                      &(struct port_usb_device){
                          .usb_path = "1-1.2", .vendor = 0x12d1, .product = 0x1446, .has_disk = true});
    modem_start(u->modem);
    rig_run(r, 60000);
    assert_reason(u, "CD-ROM mode (12d1:1446 at 1-1.2): install usb-modeswitch");
    port_sim_usb_unplug(r->bus, "1-1.2");
    port_sim_plug_stick(r->bus, "1-1.2", "", u->sim);
    assert_own(r, u, 20000);
}

/* A stick that was left off the bus in the middle of a replug is put back where its place is configured, and
 * told where nobody knows whose it is. */
static void left_off_the_bus(void **state)
{
    struct rig *r = *state;
    struct port_usb_device off = {.usb_path = "1-1.2", .vendor = 0x12d1, .product = 0x1436, .is_off = true};
    struct unit *u = add_by_imei(r, "huawei-e173", "1-1.2");

    port_sim_unplug_stick(r->bus, "1-1.2");
    port_sim_usb_plug(r->bus, &off);
    modem_start(u->modem);
    rig_run(r, 90000);
    assert_reason(u, "stick 12d1:1436 at 1-1.2 was taken off the bus");
    assert_int_equal(port_sim_replugs(r->bus), 0);
    u->conf.usb = "1-1.2";
    assert_own(r, u, 60000);
    assert_int_equal(port_sim_replugs(r->bus), 1);
}

/* One that cannot be put back is told, of whatever family it is. */
static void left_off_for_good(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.port = "", .usb = "1-1.2"});
    struct port_usb_device off = {.usb_path = "1-1.2", .vendor = 0x1234, .product = 1, .is_off = true};

    port_sim_unplug(r->bus, u->port);
    port_sim_usb_plug(r->bus, &off);
    modem_start(u->modem);
    rig_run(r, 300000);
    assert_reason(u, "stick 1234:0001 at 1-1.2 was taken off the bus");
}

/* And so does a HiLink stick, which is a network card, also to a modem that is configured by its port. */
static void hilink_mode(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.profiles = known()});

    port_sim_unplug(r->bus, u->port);
    port_sim_usb_plug(r->bus, &(struct port_usb_device){
                                  .usb_path = "2-1", .vendor = 0x12d1, .product = 0x14db, .has_net = true});
    modem_start(u->modem);
    rig_run(r, 60000);
    assert_reason(u, "HiLink mode (12d1:14db at 2-1): a network card");
}

/* A place where nothing is plugged, and a device there that has no serial port, are two different things. */
static void nothing_at_that_place(void **state)
{
    struct rig *r = *state;
    struct unit *u = rig_add(r, &(struct rig_conf){.port = "", .usb = "1-1.4"});
    struct port_usb_device d = {.usb_path = "2-1", .vendor = 0x12d1, .product = 0x1506};

    port_sim_unplug(r->bus, u->port);
    modem_start(u->modem);
    rig_run(r, 30000);
    assert_reason(u, "no USB device is plugged at 1-1.4");
    port_sim_usb_plug(r->bus, &d);
    rig_run(r, 1000);
    assert_reason(u, "no USB device is plugged at 1-1.4");
    str_copy(d.usb_path, sizeof(d.usb_path), "1-1.4");
    port_sim_usb_plug(r->bus, &d);
    rig_run(r, 1000);
    assert_reason(u, "USB device 1-1.4 (12d1:1506) has no serial port");
}

/* Complaint 11: a port that another program holds is why a modem is not found; who holds it is told. */
static void complaint_11_held_by_another(void **state)
{
    struct rig *r = *state;
    struct unit *u = add_by_imei(r, "huawei-e173", "1-1");

    port_sim_busy(r->bus, port_sim_tty(r->bus, "1-1", -1), true);
    modem_start(u->modem);
    rig_run(r, 60000);
    assert_reason(u, "busy (held by");
    port_sim_busy(r->bus, port_sim_tty(r->bus, "1-1", -1), false);
    assert_own(r, u, 60000);
}

/* New devices are used at once when udev tells of them, and within seconds when nothing does. */
static void plugged_later(void **state)
{
    struct rig *r = *state;
    struct unit *u = add_by_imei(r, "huawei-e173", "1-1");

    modem_start(u->modem);
    for (int deaf = 0; deaf < 2; deaf++) {
        port_sim_deaf(r->bus, deaf);
        port_sim_unplug_stick(r->bus, "1-1");
        rig_run(r, 600000);
        assert_int_equal(status_of(u).state, MODEM_ABSENT);
        port_sim_plug_stick(r->bus, "1-1", "", u->sim);
        rig_run(r, deaf ? 10100 : 300);
        assert_int_not_equal(status_of(u).state, MODEM_ABSENT);
        assert_own(r, u, 30000);
    }
}

/* A modem that is known by its IMEI and hangs is repaired where it was, not left as a stranger: its USB
 * device is replugged, and it comes back under other names. */
static void hang_is_repaired(void **state)
{
    struct rig *r = *state;
    struct unit *u = add_by_imei(r, "huawei-e173", "1-1");

    port_sim_shuffle(r->bus, true);
    modem_start(u->modem);
    assert_own(r, u, 60000);
    rig_fault(r, u, "wedge", "");
    rig_run(r, 900000);
    assert_own(r, u, 600000);
    assert_true(port_sim_replugs(r->bus) > 0);
}

/* The daemon dies while a stick is off the bus: nothing is left behind, and its next life finds the stick. */
static void died_during_replug(void **state)
{
    struct rig *r = *state;
    struct unit *u = add_by_imei(r, "huawei-e173", "1-1");

    modem_start(u->modem);
    assert_own(r, u, 60000);
    rig_fault(r, u, "wedge", "");
    for (int i = 0; i < 9000 && port_sim_replugs(r->bus) == 0; i++)
        rig_run(r, 100);
    assert_int_equal(port_sim_replugs(r->bus), 1);
    rig_kill(r);
    rig_revive(r);
    assert_own(r, u, 120000);
}

/* Four modems on an adapter with four serial chips are one USB device and four modems: each is found on its
 * port while the others work. A stick is one. */
static void sticks_and_adapters(void **state)
{
    struct port_info stick = {.name = "/dev/ttyUSB0", .usb_path = "1-1.4", .driver = "option"};
    struct port_info adapter = {.name = "/dev/ttyUSB1", .usb_path = "1-1.4", .driver = "ftdi_sio"};
    struct port_info line = {.name = "/dev/ttyS1"};

    (void)state;
    assert_string_equal(finder_stick(&stick), "1-1.4");
    assert_string_equal(finder_stick(&adapter), "/dev/ttyUSB1");
    assert_string_equal(finder_stick(&line), "/dev/ttyS1");
    assert_true(finder_usb_fits("1-1.4", "1-1.4", ""));
    assert_false(finder_usb_fits("1-1.4", "1-1.40", ""));
    assert_true(finder_usb_fits("0123-456", "1-1.4", "0123-456"));
    assert_false(finder_usb_fits("", "1-1.4", ""));
}

/* A card's number in all the forms in which modems write it. */
static void iccid_forms(void **state)
{
    static const struct {
        const char *line, *iccid;
    } forms[] = {
        {"+CCID: \"89490200001234567890\"", "89490200001234567890"},
        {"89490200001234567890", "89490200001234567890"},
        {"8949020000123456789F", "8949020000123456789"},
        {"8949020000123456789f", "8949020000123456789"},
        {"^ICCID: 98942000002143658709", "89490200001234567890"},
        {"+CRSM: 144,0,\"984920000021436587F9\"", "8994020000123456789"},
        {"+ICCID: 8949020000123456789", "8949020000123456789"},
        {"#CCID: 89490200001234567890", "89490200001234567890"},
        {"ERROR", ""},
        {"35780502000000018949", ""},
        {"894902", ""},
    };
    struct rig *r = *state;
    struct unit *u = rig_add(r, NULL);

    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        u->modem->iccid[0] = '\0';
        identity_iccid_line(u->modem, forms[i].line);
        assert_string_equal(u->modem->iccid, forms[i].iccid);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG_TEST(complaint_06_identical_sticks),
        RIG_TEST(complaint_06_by_place),
        RIG_TEST(complaint_06_same_serial),
        RIG_TEST(by_sim),
        cmocka_unit_test(any_order_any_numbers),
        RIG_TEST(unknown_roles),
        RIG_TEST(binary_port),
        RIG_TEST(others_are_left_alone),
        RIG_TEST(pin_for_no_stranger),
        RIG_TEST(another_sim),
        RIG_TEST(configured_gps_port),
        RIG_TEST(cdrom_mode),
        RIG_TEST(left_off_the_bus),
        RIG_TEST(left_off_for_good),
        RIG_TEST(hilink_mode),
        RIG_TEST(nothing_at_that_place),
        RIG_TEST(complaint_11_held_by_another),
        RIG_TEST(plugged_later),
        RIG_TEST(hang_is_repaired),
        RIG_TEST(died_during_replug),
        RIG_TEST(sticks_and_adapters),
        RIG_TEST(iccid_forms),
    };
    return cmocka_run_group_tests_name("identity", tests, NULL, NULL);
}
