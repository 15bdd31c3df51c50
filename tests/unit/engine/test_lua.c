/* Lua scripts as handlers: what they may do, and what they may not. */
#include "foreign.h"

/* Reads a script and gives it one message; the script's file is gone again afterwards. */
static struct given *run(struct foreign *f, const char *script, const char *text)
{
    struct engine_handler_conf c = foreign_conf(HANDLER_LUA);

    c.file = foreign_file(f, "script.lua", script);
    foreign_open(f, &c, 1);
    unlink(c.file);
    return f->problems.len ? NULL : foreign_say(f, 1, text);
}

/* A script answers, tags, and ends the chain. */
static void test_answers(void **state)
{
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    g = run(&f,
            "function handle(event)\n"
            "  simgate.reply('You wrote ' .. event.message.text .. ' to ' .. event.modem)\n"
            "  simgate.tag{tag = 'lua'}\n"
            "  simgate.send('0170 7654321', 'somebody wrote')\n"
            "  return 'stop'\n"
            "end\n",
            "hello");
    assert_true(g->done);
    assert_string_equal(given_reply(g), "You wrote hello to counter");
    assert_int_equal(g->verdict.neffects, 1);
    assert_int_equal(g->verdict.effects[0].kind, EFFECT_TAG);
    assert_string_equal(g->verdict.effects[0].name, "lua");
    assert_int_equal(g->verdict.nreplies, 2);
    assert_string_equal(g->verdict.replies[1].to, "+491707654321");
    assert_string_equal(g->verdict.reason, "handler mine");
    given_free(g);
    foreign_fini(&f);
}

/* Variables live from event to event. */
static void test_keeps_state(void **state)
{
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    g = run(&f, "local n = 0 function handle(e) n = n + 1 simgate.reply('number ' .. n) end", "a");
    assert_string_equal(given_reply(g), "number 1");
    given_free(g);
    g = foreign_say(&f, 2, "b");
    assert_string_equal(given_reply(g), "number 2");
    given_free(g);
    foreign_fini(&f);
}

/* There is no way to a file, a program, C, or code from elsewhere. */
static void test_sandbox(void **state)
{
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    g = run(&f,
            "function handle(e)\n"
            "  local found = {}\n"
            "  for _, name in ipairs{'io', 'os', 'package', 'debug', 'require', 'load', 'loadfile',\n"
            "                        'dofile', 'loadstring', 'collectgarbage', 'coroutine'} do\n"
            "    if _G[name] ~= nil then found[#found + 1] = name end\n"
            "  end\n"
            "  if string.dump then found[#found + 1] = 'dump' end\n"
            "  if pcall(setmetatable, {}, {__gc = function() end}) then found[#found + 1] = 'gc' end\n"
            "  simgate.reply('found:' .. table.concat(found, ' '))\n"
            "end\n",
            "x");
    assert_string_equal(given_reply(g), "found:");
    given_free(g);
    foreign_fini(&f);
}

/* An error is told with script and line; nothing of what was asked for before it is done. */
static void test_errors_tell_the_line(void **state)
{
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    g = run(&f, "function handle(e)\n  simgate.reply('never')\n  error('oh no')\nend\n", "x");
    assert_true(g->done);
    assert_int_equal(g->verdict.nreplies, 0);
    assert_non_null(strstr(foreign_health(&f).error, "script.lua:3: oh no"));
    given_free(g);
    foreign_fini(&f);
}

/* A script that does not parse, or defines no handle, is a problem of gateway.conf. */
static void test_bad_scripts_are_problems(void **state)
{
    static const char *const scripts[][2] = {
        {"function handle(e", "script.lua:1:"},
        {"x = 1", "defines no function handle"},
        {"simgate.reply('now')", "there is no event"},
        {"while true do end", "too many instructions"},
        {"local t = {} for i = 1, 1e9 do t[i] = i end", "memory"},
        {"local s = string.rep('x', 600000)",
         "memory"}, /* one value: the whole of what is allowed is 4 MiB */
        {"\033Lua", "attempt to load a binary chunk"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        struct foreign f;

        foreign_init(&f);
        assert_null(run(&f, scripts[i][0], "x"));
        if (!strstr(buf_str(&f.problems), scripts[i][1]))
            fail_msg("%s: %s", scripts[i][0], buf_str(&f.problems));
        foreign_fini(&f);
    }
}

/* Whatever a script does, it comes to an end: loops, pcall around them, patterns, what the library does in C,
 * deep recursion, endless strings. The next event is handled as ever. */
static void test_comes_to_an_end(void **state)
{
    static const char *const bodies[] = {
        "while true do end",
        "local t = {} setmetatable(t, {__call = t}) t()",
        "while true do pcall(function() while true do end end) end",
        "local function f() return pcall(f) end f() while true do pcall(f) end",
        "string.find(string.rep('a', 50000), '.-.-.-.-.-.-b')",
        "string.rep('a', 50000):gsub('.-.-.-.-b', 'x')",
        "for w in string.rep('a', 50000):gmatch('a-a-a-a-a-a-b') do end",
        "local t = setmetatable({}, {__len = function() return 1 << 40 end}) table.insert(t, 1, 'x')",
        "table.move({}, 1, 1 << 40, 2)",
        "local t = setmetatable({}, {__len = function() return 1 << 40 end}) table.remove(t, 1)",
        "local t = setmetatable({}, {__len = function() return 1 << 30 end}) table.sort(t)",
        "local s = 'x' while true do s = s .. s end",
        "local t = {} while true do t[#t + 1] = {} end",
        "local function f() return 1 + f() end f()",
        "setmetatable(_G, {__index = function() while true do end end}) local x = nothing",
        "error(setmetatable({}, {__tostring = function() while true do end end}))",
        "string.rep('x', 1 << 40)",
        "table.unpack({}, 1, 1e8)",
        "('x'):rep(1e6):upper():lower():reverse():byte(1, -1)",
        "error({})",
        "error()",
        "return 7",
        "return {}",
        "simgate.reply(string.rep('x', 1e6))",
        "simgate.reply('\\xff\\xfe')",
        "simgate.reply('a\\0b')",
        "simgate.reply({})",
        "simgate.nothing()",
        "for i = 1, 100 do simgate.tag('t' .. i) end",
        "xpcall(function() while true do end end, function() while true do end end)",
        "string.rep('', 1 << 60) error('x')",
        "table.concat(setmetatable({}, {__index = table.concat}), '', 1, 1 << 60)",
        "string.rep('a', 200000):find('%f[' .. string.rep('b', 200000) .. ']')",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        char script[512];
        struct foreign f;
        struct given *g;

        foreign_init(&f);
        snprintf(script, sizeof script,
                 "function handle(e)\n  if e.message.text == 'well' then simgate.reply('well') return end\n  "
                 "%s\nend\n",
                 bodies[i]);
        g = run(&f, script, "x");
        if (!g)
            fail_msg("%s: %s", bodies[i], buf_str(&f.problems));
        assert_true(g->done);
        if (g->verdict.nreplies || g->verdict.neffects || foreign_health(&f).failed != 1)
            fail_msg("%s: it did something: %s", bodies[i], foreign_health(&f).error);
        given_free(g);
        g = foreign_say(&f, 2, "well");
        if (strcmp(given_reply(g), "well") != 0)
            fail_msg("%s: behind it: %s", bodies[i], foreign_health(&f).error);
        given_free(g);
        foreign_fini(&f);
    }
}

/* The patterns that are ours do what the manual says; so do table's functions. */
static void test_library(void **state)
{
    static const char script[] =
        "local function eq(a, b) if a ~= b then error(tostring(a) .. ' is not ' .. tostring(b), 2) end end\n"
        "local function all(...) local t = table.pack(...) for i = 1, t.n do t[i] = tostring(t[i]) end\n"
        "  return table.concat(t, ',') end\n"
        "function handle(e)\n"
        "  eq(all(('hello world'):find('o w')), '5,7')\n"
        "  eq(all(('hello'):find('l+')), '3,4')\n"
        "  eq(all(('hello'):find('l', 1, true)), '3,3')\n"
        "  eq(all(('a.b'):find('.', 2, true)), '2,2')\n"
        "  eq(all(('hello'):find('xyz')), 'nil')\n"
        "  eq(all(('hello'):find('')), '1,0')\n"
        "  eq(all(('hello'):find('', 10)), 'nil')\n"
        "  eq(all(('key = value'):match('^(%w+)%s*=%s*(%w+)$')), 'key,value')\n"
        "  eq(all(('  x '):match('^%s*(.-)%s*$')), 'x')\n"
        "  eq(all(('order 123'):match('%d+')), '123')\n"
        "  eq(all(('THE (quick) fox'):find('%((%a+)%)')), '5,11,quick')\n"
        "  eq(all(('f(a(b)c)d'):match('%b()')), '(a(b)c)')\n"
        "  eq(all(('THE quick'):gsub('%f[%a]%a+', string.lower)), 'the quick,2')\n"
        "  eq(all(('hello'):match('()ll()')), '3,5')\n"
        "  eq(all(('aXbX'):match('(%a)X')), 'a')\n"
        "  eq(all(('abab'):match('(ab)%1')), 'ab')\n"
        "  eq(all(('a-b'):match('[a-c%-]+')), 'a-b')\n"
        "  eq(all(('x]y'):match('[]]')), ']')\n"
        "  eq(all(('x^y'):match('[%^x]+')), 'x^')\n"
        "  eq(all(('abc'):match('[^b]+')), 'a')\n"
        "  eq(all(('abc'):gsub('', '-')), '-a-b-c-,4')\n"
        "  eq(all(('abc'):gsub('%w', '%0%0')), 'aabbcc,3')\n"
        "  eq(all(('hello world'):gsub('o', {o = '0'})), 'hell0 w0rld,2')\n"
        "  eq(all(('hello'):gsub('l', 'L', 1)), 'heLlo,1')\n"
        "  eq(all(('abc'):gsub('%w', function(c) if c == 'b' then return false end return c:upper() end)),\n"
        "     'AbC,3')\n"
        "  eq(all(('$name is'):gsub('%$(%w+)', '<%1>')), '<name> is,1')\n"
        "  eq(all(('  trim'):gsub('^%s+', '')), 'trim,1')\n"
        "  eq(all(('xx'):gsub('x-', '.')), '.x.x.,3')\n"
        "  local words = {} for w in ('one two  three'):gmatch('%a+') do words[#words + 1] = w end\n"
        "  eq(table.concat(words, '|'), 'one|two|three')\n"
        "  local pairs_ = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do pairs_[#pairs_ + 1] = k .. v "
        "end\n"
        "  eq(table.concat(pairs_, '|'), 'a1|b2')\n"
        "  local n = 0 for _ in ('abc'):gmatch('') do n = n + 1 end eq(n, 4)\n"
        "  eq(pcall(string.find, 'a', '['), false) eq(pcall(string.find, 'a', '%'), false)\n"
        "  eq(pcall(string.find, 'a', '(a'), false) eq(pcall(string.find, 'a', 'a)'), false)\n"
        "  eq(pcall(string.gsub, 'a', 'a', '%2'), false) eq(pcall(string.gsub, 'a', 'a', '%q'), false)\n"
        "  local t = {3, 1, 2} table.sort(t) eq(all(table.unpack(t)), '1,2,3')\n"
        "  table.sort(t, function(a, b) return a > b end) eq(all(table.unpack(t)), '3,2,1')\n"
        "  table.insert(t, 4) table.insert(t, 1, 0) eq(all(table.unpack(t)), '0,3,2,1,4')\n"
        "  eq(table.remove(t, 2), 3) eq(table.remove(t), 4) eq(all(table.unpack(t)), '0,2,1')\n"
        "  eq(table.remove({}), nil)\n"
        "  eq(all(table.unpack(table.move({1, 2, 3}, 1, 3, 2))), '1,1,2,3')\n"
        "  eq(all(table.unpack(table.move({1, 2, 3}, 2, 3, 1))), '2,3,3')\n"
        "  eq(pcall(table.insert, {}, 5, 1), false)\n"
        "  eq(utf8.len('äö'), 2) eq(math.max(1, 2), 2)\n"
        "  eq(all(xpcall(function(a, b) return b, a end, error, 1, 2)), 'true,2,1')\n"
        "  eq(all(xpcall(error, function(e) return 'so ' .. e end, 'x')), 'false,so x')\n"
        "  eq(table.concat({1, 2, 3}, '-', 2), '2-3') eq(table.concat({}), '')\n"
        "  local three = setmetatable({}, {__len = function() return 3 end, __index = function(t, i) return "
        "i "
        "end})\n"
        "  eq(table.concat(three, '-'), '1-2-3') eq(table.concat(three, '', 2, 3), '23')\n"
        "  eq(pcall(table.concat, {1, {}}), false) eq(('ab'):rep(2, '-'), 'ab-ab') eq((''):rep(9), '')\n"
        "  simgate.reply('fine')\n"
        "end\n";
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    g = run(&f, script, "x");
    if (strcmp(given_reply(g), "fine") != 0)
        fail_msg("%s", foreign_health(&f).error);
    given_free(g);
    foreign_fini(&f);
}

/* What customers write is a value and nothing else. */
static void test_text_is_data(void **state)
{
    static const char *const texts[] = {"\" .. os.execute('x') .. \"", "]] end --", "%d %s %q", "\\27\\0",
                                        "{{message.from}}"};
    struct foreign f;
    struct given *g;

    (void)state;
    foreign_init(&f);
    g = run(&f, "function handle(e) simgate.reply(e.message.text) end", "plain");
    given_free(g);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        g = foreign_say(&f, 2 + (int)i, texts[i]);
        assert_string_equal(given_reply(g), texts[i]);
        given_free(g);
    }
    foreign_fini(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_keeps_state),
        cmocka_unit_test(test_sandbox),
        cmocka_unit_test(test_errors_tell_the_line),
        cmocka_unit_test(test_bad_scripts_are_problems),
        cmocka_unit_test(test_comes_to_an_end),
        cmocka_unit_test(test_library),
        cmocka_unit_test(test_text_is_data),
    };

    return cmocka_run_group_tests_name("lua", tests, NULL, NULL);
}
