#!/usr/bin/python3
"""Handlers over time, with the real programs: another kind or another file behind the same name, failures and their defaults,
loops, and programs that misbehave."""
import os
import shutil
import subprocess
import time

import lab
from test_handlers import Server, handlers, other, replies, say, script
from test_handlers_mail import certificate, secure

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


SLOW = """
import json, sys, time
event = json.load(sys.stdin)
open(sys.argv[1], "a").write(event["id"] + "\\n")
time.sleep(float(sys.argv[2]))
json.dump({"actions": [{"action": "reply", "text": "at last"}], "verdict": "stop"}, sys.stdout)
"""
REST = 'rules = ( { name = "rest"; reply = "from the rules"; } );'
CHAIN = 'chain = ( "consent", "guard", "own", "rules" );'


def exec_handler(path, *arguments, more=""):
    words = ", ".join(f'"{a}"' for a in ("/usr/bin/python3", path, *arguments))
    return f'{{ name = "own"; kind = "exec"; command = ( {words} ); {more} }}'


def test_failure_defaults(build):
    """A program that fails: next has the rules asked, stop nobody, hold asks again until it works, also behind a crash, and then
    answers once."""
    with lab.Lab(build) as it:
        path = script(it, "maybe.py", f"""
import json, os, sys
if not os.path.exists("{it.dir}/works"):
    sys.exit(7)
json.dump({{"actions": [{{"action": "reply", "text": "works"}}], "verdict": "stop"}}, sys.stdout)
""")
        handlers(it, exec_handler(path), CHAIN, REST)
        say(it, "hello", other(1))
        it.wait("the rules' answer", lambda: replies(it, other(1)) == ["from the rules"])
        for default in ("stop", "hold"):
            conf = exec_handler(path, more=f'on_failure = "{default}";')
            it.write_conf(rest=f"handlers = ( {conf} ); {CHAIN} {REST}")
            it.run("reload")
            say(it, "hello", other(default == "hold" and 3 or 2))
            it.wait("the failure", lambda: len(it.said("exit status 7")) >= (3 if default == "hold" else 2))
        it.wait("its reason", lambda: [m for m in it.messages() if m.get("reason", "").startswith("handler own failed")])
        it.kill()
        it.start_daemon()
        it.wait_ready()
        it.wait("another failure", lambda: len(it.said("exit status 7")) >= 4)
        lab.equal((replies(it, other(2)), replies(it, other(3))), ([], []))
        (it.dir / "works").touch()
        it.wait("the answer", lambda: replies(it, other(3)), 40)
        time.sleep(1)
        lab.equal((replies(it, other(2)), replies(it, other(3))), ([], ["works"]))


def test_status_tells_who_fails(build):
    """A script, and an event handler, that fail are told by status until they work again."""
    with lab.Lab(build) as it:
        lua = script(it, "own.lua", "function handle(event) if event.message.text == 'bad' then error('oh') end end")
        tool = script(it, "event.sh", f'#!/bin/sh\ntest ! -e {it.dir}/broken\n')
        os.chmod(tool, 0o755)
        handlers(it, f'{{ name = "own"; kind = "lua"; file = "{lua}"; }}, {{ name = "tool"; kind = "eventhandler"; command = ( "{tool}" ); }}')
        (it.dir / "broken").touch()
        say(it, "bad", other(1))
        it.wait("both", lambda: it.said("own.lua:1: oh") and it.said("exit status 1"))
        status = it.run("status", check=False)
        lab.true(status.returncode and "own fails:" in status.stdout and "tool fails:" in status.stdout, status.stdout)
        (it.dir / "broken").unlink()
        say(it, "good", other(2))
        it.wait("all is well", lambda: not it.run("status", check=False).returncode)


def test_reload_while_it_is_asked(build):
    """A reload that takes a handler away does not take it from the event that it has: its answer is done, once; a deadline that
    passes meanwhile is one."""
    with lab.Lab(build) as it:
        path = script(it, "slow.py", SLOW)
        handlers(it, exec_handler(path, it.dir / "asked", "1.5"), CHAIN, REST)
        say(it, "hello", other(1))
        it.wait("it is asked", (it.dir / "asked").exists)
        it.write_conf(rest=REST)
        it.run("reload")
        say(it, "hello", other(2))
        it.wait("the rules' answer", lambda: replies(it, other(2)))
        it.wait("its answer", lambda: replies(it, other(1)))
        lab.equal((replies(it, other(1)), replies(it, other(2))), (["at last"], ["from the rules"]))
        conf = exec_handler(path, it.dir / "again", "60", more='deadline = "2s";')
        it.write_conf(rest=f"handlers = ( {conf} ); {CHAIN} {REST}")
        it.run("reload")
        say(it, "hello", other(3))
        it.wait("it is asked", (it.dir / "again").exists)
        it.run("reload")
        it.wait("the rules' answer", lambda: replies(it, other(3)), 10)
        lab.equal(replies(it, other(3)), ["from the rules"])
        lab.equal((it.dir / "again").read_text(), "message:5\n")


def test_order_of_the_chain(build):
    """A reload turns the chain around."""
    with lab.Lab(build) as it:
        files = [script(it, f"{name}.lua", f"function handle(event) simgate.reply('{name}') return 'stop' end") for name in ("a", "b")]
        conf = ", ".join(f'{{ name = "{f.stem}"; kind = "lua"; file = "{f}"; }}' for f in files)
        handlers(it, conf, 'chain = ( "consent", "guard", "a", "b" );')
        say(it, "hello", other(1))
        it.wait("an answer", lambda: replies(it, other(1)) == ["a"])
        it.write_conf(rest=f'handlers = ( {conf} ); chain = ( "consent", "guard", "b", "a" );')
        it.run("reload")
        say(it, "hello", other(2))
        it.wait("an answer", lambda: replies(it, other(2)) == ["b"])


def test_lua_over_reload_and_restart(build):
    """What a script keeps lasts; its variables live until the next reload; a script that is wrong leaves the old one at work."""
    text = """
local seen = 0
function handle(event)
  seen = seen + 1
  local kept = tonumber(simgate.get('n') or 0) + 1
  simgate.keep('n', kept)
  simgate.reply('%s ' .. seen .. ' ' .. kept)
end
"""
    with lab.Lab(build) as it:
        path = script(it, "count.lua", text % "one")
        handlers(it, f'{{ name = "count"; kind = "lua"; file = "{path}"; }}')

        def asked(n, wanted):
            say(it, "hello", other(n))
            it.wait("an answer", lambda: replies(it, other(n)))
            lab.equal(replies(it, other(n)), [wanted])

        asked(1, "one 1 1")
        asked(2, "one 2 2")
        script(it, "count.lua", text % "two")
        it.run("reload")
        asked(3, "two 1 3")
        script(it, "count.lua", "function handle(")
        refused = it.run("reload", check=False)
        lab.true(refused.returncode and "count.lua:1:" in refused.stderr + refused.stdout, refused.stderr)
        asked(4, "two 2 4")
        script(it, "count.lua", text % "three")
        it.stop_daemon()
        it.start_daemon()
        it.wait_ready()
        asked(5, "three 1 5")


def test_server_that_is_another(build):
    """Redirects are not followed, and a certificate of no known authority is refused, with the reason in log and status; with its
    ca_file it is told, by the same id, and its late answer is done once."""
    with lab.Lab(build) as it:
        files = certificate(it)
        good = Server(lambda _: (200, '{"action": "reply", "text": "late"}'))
        good.socket = secure(files).wrap_socket(good.socket, server_side=True)
        moved = Server(lambda _: (307, ""), {"Location": good.url.replace("http:", "https:")})
        handlers(it, f'{{ name = "crm"; kind = "webhook"; url = "{moved.url}"; }}')
        say(it, "hello")
        it.wait("the failure", lambda: it.said("HTTP status 307"))
        hook = f'name = "crm"; kind = "webhook"; url = "{good.url.replace("http:", "https:")}";'
        it.write_conf(rest=f"handlers = ( {{ {hook} }} );")
        it.run("reload")
        it.wait("the refusal", lambda: it.said("certificate"))
        lab.true("certificate" in it.run("status", check=False).stdout, "status")
        lab.equal(good.requests, [])
        it.write_conf(rest=f'handlers = ( {{ {hook} ca_file = "{files[0]}"; }} );')
        it.run("reload")
        it.wait("the answer", lambda: replies(it), 60)
        time.sleep(1)
        lab.equal(replies(it), ["late"])
        lab.equal([r["headers"]["X-Simgate-Event"] for r in good.requests], ["message:1"])


if __name__ == "__main__":
    lab.main(globals())
