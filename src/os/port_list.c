/* The serial devices that are present, for modems that are known by their IMEI alone.
 *
 * Only devices on USB: a stick gets another name with each plugging, and asking it costs nothing. A built-in
 * serial port keeps its name, and may be somebody's console: it is used when it is configured, never tried.
 */
#include <libserialport.h>

#include "base/util.h"
#include "os/port_open.h"

int port_list(struct port_source *source, struct port_info *out, int max)
{
    struct sp_port **found;
    int n = 0;

    (void)source;
    if (sp_list_ports(&found) != SP_OK)
        return 0;
    for (struct sp_port **p = found; *p && n < max; p++) {
        out[n] = (struct port_info){.interface = -1};
        if (sp_get_port_transport(*p) == SP_TRANSPORT_USB &&
            str_copy(out[n].name, PORT_NAME_BYTES, sp_get_port_name(*p)))
            n++;
    }
    sp_free_port_list(found);
    return n;
}
