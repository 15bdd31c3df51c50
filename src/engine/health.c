/* What status shows of the configured handlers. */
#include "engine/plugins.h"
#include "engine/private.h"
#include "engine/program.h"

const struct handler *engine_handler_at(const struct engine *en, int index, const char **kind)
{
    return en->program ? plugins_any(en->program->plugins, index, kind) : NULL;
}
