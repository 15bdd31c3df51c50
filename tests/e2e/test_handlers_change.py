#!/usr/bin/python3
"""Handlers over time, with the real programs: another kind or another file behind the same name, failures and their defaults,
loops, and programs that misbehave."""
import json
import os
import subprocess
import shutil
import time

import lab
from test_handlers import CUSTOMER, Mailbox, Server, handlers, other, replies, say, script

OBJECT = """
#include <simgate/handler.h>
#include <string.h>
static const struct simgate_api *api;
static void *begin(const struct simgate_api *a, const char *options, char *error, size_t size)
{
    (void)options, (void)error, (void)size;
    api = a;
    return &api;
}
static enum simgate_answer handle(void *state, struct simgate_call *call, const struct simgate_event *event)
{
    (void)state;
    return strcmp(event->on, "message") || api->reply(call, WORDS) ? SIMGATE_FAILED : SIMGATE_STOP;
}
const struct simgate_handler simgate_handler = {
    .abi = SIMGATE_HANDLER_ABI + NEWER, .size = sizeof simgate_handler, .name = "words", .open = begin, .handle = handle };
"""


def build_object(it, words, name="mine.so", newer=0):
    """A shared object that answers with these words; put in its place as an installer does."""
    source = script(it, "object.c", OBJECT)
    compiler = shutil.which("cc") or shutil.which("gcc")
    subprocess.run([compiler, f'-DWORDS="{words}"', f"-DNEWER={newer}", f"-I{lab.ROOT}/include", "-shared", "-fPIC",
                    "-o", it.dir / "new.so", source], check=True)
    os.replace(it.dir / "new.so", it.dir / name)
    return it.dir / name


def test_shared_object_changes(build):
    """A reload takes the shared object that lies there now; one of another ABI, or none, leaves the old one at work."""
    with lab.Lab(build) as it:
        path = build_object(it, "the first")
        handlers(it, f'{{ name = "mine"; kind = "shared"; file = "{path}"; }}')
        say(it, "hello", other(1))
        it.wait("an answer", lambda: replies(it, other(1)))
        lab.equal(replies(it, other(1)), ["the first"])
        for n, words in enumerate(("the second", "the third"), 2):
            build_object(it, words)
            it.run("reload")
            say(it, "hello", other(n))
            it.wait("an answer", lambda: replies(it, other(n)))
            lab.equal(replies(it, other(n)), [words])
        build_object(it, "the fourth", newer=1)
        lab.true("ABI 2" in (it.run("reload", check=False).stderr), "another ABI is told")
        path.write_text("no object")
        lab.true(it.run("reload", check=False).returncode, "no object is told")
        say(it, "hello", other(9))
        it.wait("an answer", lambda: replies(it, other(9)))
        lab.equal(replies(it, other(9)), ["the third"])


def test_another_kind_takes_the_name(build):
    """What waits for a server is not given to a shared object or a script that has taken its name, and waits."""
    server = Server(lambda _: (503, ""))
    with lab.Lab(build) as it:
        path = build_object(it, "from the object")
        handlers(it, f'{{ name = "crm"; kind = "webhook"; asynchronous = true; url = "{server.url}"; }}')
        say(it, "hello")
        it.wait("a try", lambda: server.requests)
        it.write_conf(rest=f'handlers = ( {{ name = "crm"; kind = "shared"; file = "{path}"; }} );')
        it.run("reload")
        it.wait("another try", lambda: it.daemon.poll() is not None or it.sql("SELECT attempts FROM delivery")[0][0] > 1, 20)
        lab.equal(it.daemon.poll(), None, "simgated")
        lab.true(it.json("deliveries")["deliveries"], "it waits")
    server.shutdown()


if __name__ == "__main__":
    lab.main(globals())
