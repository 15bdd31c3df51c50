/* Serial devices through libserialport: a UART, a USB serial adapter, a USB modem's AT interface.
 *
 * libserialport 0.1.1 opens by name only, refuses symbolic links and pseudo-terminals, and neither locks the
 * device nor marks the descriptor close-on-exec. It opens and configures here; what goes on is a duplicate of
 * its descriptor that has the mark, so that the ports of all kinds are plain descriptors from then on.
 */
#include "os/port_open.h"

#include <errno.h>
#include <fcntl.h>
#include <libserialport.h>
#include <termios.h>
#include <unistd.h>

enum { DEFAULT_BAUD = 115200 };

static int refuse(enum sp_return rc, const char *step, struct err *e)
{
    if (rc == SP_ERR_FAIL) {
        errno = sp_last_error_code();
        return err_errno(e, "%s", step);
    }
    if (rc == SP_ERR_MEM)
        return err_set(e, ERR_NOMEM, "%s: out of memory", step);
    return err_set(e, ERR_INVALID, "%s: not a serial device, or it cannot do this", step);
}

/* 8N1, raw, and the flow control that was asked for. */
static enum sp_return configure(struct sp_port *port, int baud, bool rtscts)
{
    struct sp_port_config *config;
    enum sp_return rc = sp_new_config(&config);

    if (rc != SP_OK)
        return rc;
    sp_set_config_baudrate(config, baud > 0 ? baud : DEFAULT_BAUD);
    sp_set_config_bits(config, 8);
    sp_set_config_parity(config, SP_PARITY_NONE);
    sp_set_config_stopbits(config, 1);
    sp_set_config_flowcontrol(config, rtscts ? SP_FLOWCONTROL_RTSCTS : SP_FLOWCONTROL_NONE);
    rc = sp_set_config(port, config);
    sp_free_config(config);
    return rc;
}

/* What libserialport leaves as it was, or sets otherwise. */
static int settle_line(int fd, bool rtscts, struct err *e)
{
    struct termios tio;

    if (tcgetattr(fd, &tio) != 0)
        return err_errno(e, "read the line's settings");
    /* Closing must not drop DTR: it resets some modules and hangs up others (AT&D2, AT&D3). */
    tio.c_cflag &= ~(tcflag_t)HUPCL;
    tio.c_cflag |= CLOCAL | CREAD;
    /* libserialport 0.1.1 puts the bit for RTS/CTS into the input flags, where it means nothing. */
    tio.c_iflag &= ~(tcflag_t)CRTSCTS;
    tio.c_cflag &= ~(tcflag_t)CRTSCTS;
    if (rtscts)
        tio.c_cflag |= CRTSCTS;
    tio.c_iflag |= IGNBRK | IGNPAR;
    /* With VMIN 0 an empty line would read as one that has hung up. */
    tio.c_cc[VMIN] = 1;
    tio.c_cc[VTIME] = 0;
    if (tcsetattr(fd, TCSANOW, &tio) != 0)
        return err_errno(e, "set the line");
    return ERR_OK;
}

/* port is open. Its descriptor's duplicate, ready for use. */
static int take_descriptor(struct sp_port *port, int baud, bool rtscts, struct err *e)
{
    enum sp_return rc = configure(port, baud, rtscts);
    int fd = -1;

    if (rc != SP_OK)
        return refuse(rc, "set the line", e);
    /* Modems wait for both lines; devices without them say so, and do not matter. */
    sp_set_dtr(port, SP_DTR_ON);
    if (!rtscts)
        sp_set_rts(port, SP_RTS_ON);
    sp_flush(port, SP_BUF_BOTH);
    rc = sp_get_port_handle(port, &fd);
    if (rc != SP_OK)
        return refuse(rc, "open", e);
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        return err_errno(e, "open");
    if (settle_line(fd, rtscts, e) != ERR_OK) {
        close(fd);
        return e->code;
    }
    return fd;
}

/* A device may refuse to have DTR and RTS set (it stalls the request: EPIPE) and be a good modem all the
 * same. libserialport 0.1.1 will not open it. Its speed stays as it is: nothing with a UART behind it does
 * this. */
static bool refuses_lines(void)
{
    int error = sp_last_error_code();

    return error == EPIPE || error == ENOTTY || error == EINVAL;
}

static int open_without_lines(const char *path, bool rtscts, struct err *e)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios tio;

    if (fd < 0)
        return err_errno(e, "open");
    if (tcgetattr(fd, &tio) == 0) {
        cfmakeraw(&tio);
        if (tcsetattr(fd, TCSANOW, &tio) == 0 && settle_line(fd, rtscts, e) == ERR_OK) {
            tcflush(fd, TCIOFLUSH);
            return fd;
        }
    }
    err_errno(e, "set the line");
    close(fd);
    return e->code;
}

int port_serial_open(const char *path, int baud, bool rtscts, struct err *e)
{
    struct sp_port *port;
    enum sp_return rc = sp_get_port_by_name(path, &port);
    int fd;

    if (rc != SP_OK)
        return refuse(rc, "open", e);
    rc = sp_open(port, SP_MODE_READ_WRITE);
    if (rc == SP_OK) {
        fd = take_descriptor(port, baud, rtscts, e);
        sp_close(port);
    } else if (rc == SP_ERR_FAIL && refuses_lines()) {
        fd = open_without_lines(path, rtscts, e);
    } else {
        fd = refuse(rc, "open", e);
    }
    sp_free_port(port);
    return fd;
}
