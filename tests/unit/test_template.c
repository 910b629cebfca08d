/* SPDX-License-Identifier: Apache-2.0 */
/* Expected texts are those of Go's text/template and fmt with docker's functions, but where the
 * header of the module names a difference. */
#include "testkit.h"

#include "base/str.h"
#include "format/template.h"

#include <errno.h>
#include <json-c/json.h>

static const char document_text[] =
        "{\"ID\":\"0123456789abcdef\",\"Names\":[\"web\",\"db\"],\"Empty\":[],\"None\":null,"
        "\"Map\":{\"b\":\"two\",\"a\":\"one\",\"c\":\"three\"},\"EmptyMap\":{},"
        "\"State\":{\"Running\":true,\"Pid\":42,\"Health\":null,\"F\":1.5},"
        "\"Mixed\":[1,\"a\",null,true,2.5,[1,2],{\"k\":\"v\"}],\"Big\":18446744073709551615,"
        "\"Floats\":[1000000.0,1e20,1e21,0.0001,0.00001,123456789.5,3.0,-0.0,1e300,0.000001],"
        "\"Ports\":{\"80/tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"8080\"}],\"443/tcp\":null},"
        "\"Objs\":[{\"N\":\"x\",\"V\":1},{\"N\":\"y\",\"V\":2}],\"Str\":\"hello foo-bar x_y 9a\","
        "\"Uni\":\"\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\",\"E\":\"\",\"Zero\":0,\"T\":true,"
        "\"Fa\":false,\"Path\":\"a,b,,c\",\"Html\":\"<&>\","
        "\"Evil\":\"a\\u001b[31mb\\tc\\nd\\u007f\\u009b\\u202e\"}";

static struct json_object *document(void)
{
	struct json_object *o = json_tokener_parse(document_text);

	assert_non_null(o);
	return o;
}

/* Parses and executes; the result is the output, or the error's sentence. */
static char *run(
        const char *text, unsigned int parse, const struct template_options *options, int *ret_code)
{
	_template_free_ struct template *t = NULL;
	_buf_done_ struct buf out = BUF_INIT(1 << 20);
	struct json_object *o = document();
	struct err err = { 0 };

	*ret_code = template_parse(text, parse, &t, &err);
	if (*ret_code == 0)
		*ret_code = template_exec(t, o, options, &out, &err);
	(void) json_object_put(o);
	return *ret_code < 0 ? xstrdup(err.text) : buf_take(&out);
}

struct sample {
	const char *text, *want;
};

static void check(const struct sample *samples, size_t n, unsigned int parse,
        const struct template_options *options)
{
	for (size_t i = 0; i < n; i++) {
		int code;
		_free_ char *got = run(samples[i].text, parse, options, &code);

		if (code < 0 || !streq(got, samples[i].want))
			fail_msg("%s\n got  '%s'\n want '%s'", samples[i].text, got,
			        samples[i].want);
	}
}
#define check_all(samples) check((samples), ARRAY_SIZE(samples), 0, NULL)

static void values_print_as_go_prints_them(void **state)
{
	static const struct sample samples[] = {
		{ "", "" },
		{ "plain } text }}", "plain } text }}" },
		{ "{{.ID}}", "0123456789abcdef" },
		{ "{{.Names}} {{.Empty}} {{.None}} {{.Map}} {{.EmptyMap}}",
		        "[web db] [] <no value> map[a:one b:two c:three] map[]" },
		{ "{{.Mixed}}", "[1 a <nil> true 2.5 [1 2] map[k:v]]" },
		{ "{{.State.Running}}/{{.State.Pid}}/{{.State.Health}}/{{.State.F}}",
		        "true/42/<no value>/1.5" },
		{ "{{.Floats}}", "[1e+06 1e+20 1e+21 0.0001 1e-05 1.234567895e+08 3 -0 1e+300 "
		                 "1e-06]" },
		{ "{{.Big}}", "18446744073709551615" },
		{ "{{json .Names}}{{json .None}}{{json .Map}}{{json .Html}}",
		        "[\"web\",\"db\"]null{\"b\":\"two\",\"a\":\"one\",\"c\":\"three\"}\"<&>\"" },
		{ "{{json .Floats}}", "[1000000,100000000000000000000,1e+21,0.0001,0.00001,"
		                      "123456789.5,3,-0,1e+300,0.000001]" },
		{ "{{json .Big}}", "18446744073709551615" },
		{ "{{$.State.Pid}}{{$.ID | len}}", "4216" },
	};

	check_all(samples);
}

static void literals(void **state)
{
	static const struct sample samples[] = {
		{ "{{\"a\\tb\\n\\\"c\\\" \\\\ \\x41 \\101 \\u00e9 \\U0001F600\"}}",
		        "a\tb\n\"c\" \\ A A \xc3\xa9 \xf0\x9f\x98\x80" },
		{ "{{`raw\\n\"x\"`}} {{'a'}} {{'\\n'}} {{'\\''}}", "raw\\n\"x\" 97 10 39" },
		{ "{{12}} {{-3}} {{+4}} {{0x1f}} {{017}} {{0o17}} {{0b11}}", "12 -3 4 31 15 15 3" },
		{ "{{1.5}} {{.5}} {{1e3}} {{-1.5e-3}} {{1e20}} {{1e22}}",
		        "1.5 0.5 1000 -0.0015 1e+20 1e+22" },
		{ "{{true}}{{false}}{{-9223372036854775808}}", "truefalse-9223372036854775808" },
		{ "{{\"{{\"}}}}", "{{}}" },
	};

	check_all(samples);
}

static void blanks_and_comments(void **state)
{
	static const struct sample samples[] = {
		{ "a {{- 1 -}} b", "a1b" },
		{ "a \n\t{{- \" x \" -}}\r\n b {{/* c */}} d {{- /* {{ */ -}} e", "a x b  de" },
		{ "{{/* a\nb */}}x", "x" },
		{ "{{ 1 }}{{\t2\n}}", "12" },
		{ "{{-3}} {{- 3}} {{-  3  -}} ", "-333" },
		{ "{{\"a\\tb\"}}|a\\tb", "a\tb|a\\tb" },
	};
	static const struct sample escapes[] = {
		{ "{{.ID}}\\t{{\"a\\tb\"}}\\n\\x\\\\t{{`\\n`}}",
		        "0123456789abcdef\ta\tb\n\\x\\\t\\n" },
		{ "a\\t{{- 1 -}}\\n b", "a1b" },
	};

	check_all(samples);
	check(escapes, ARRAY_SIZE(escapes), TEMPLATE_ESCAPES, NULL);
}

static void control_structures(void **state)
{
	static const struct sample samples[] = {
		{ "{{range .Names}}[{{.}}]{{end}}", "[web][db]" },
		{ "{{range $i, $e := .Names}}{{$i}}={{$e}};{{end}}", "0=web;1=db;" },
		{ "{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}", "a=one;b=two;c=three;" },
		{ "{{range .Map}}{{.}}{{end}}", "onetwothree" },
		{ "{{range .Empty}}x{{else}}none{{end}}{{range .None}}x{{else}}none{{end}}",
		        "nonenone" },
		{ "{{range $x := .Objs}}{{$x.N}}{{.V}}{{$.Zero}}{{end}}", "x10y20" },
		{ "{{range 3}}{{.}}{{end}}{{range -1}}x{{else}}e{{end}}", "012e" },
		{ "{{range .Names}}{{if eq . \"db\"}}{{break}}{{end}}{{.}}{{end}}", "web" },
		{ "{{range .Names}}{{if eq . \"web\"}}{{continue}}{{end}}{{.}}{{end}}", "db" },
		{ "{{range .Objs}}{{range $k, $v := .}}{{$k}}{{break}}{{end}}{{end}}", "NN" },
		{ "{{if .T}}y{{else}}n{{end}}{{if .Fa}}y{{else}}n{{end}}{{if .E}}y{{else}}n{{end}}"
		  "{{if .Zero}}y{{else}}n{{end}}{{if .Empty}}y{{else}}n{{end}}{{if .EmptyMap}}y"
		  "{{else}}n{{end}}{{if .None}}y{{else}}n{{end}}{{if .State.F}}y{{else}}n{{end}}"
		  "{{if 0.0}}y{{else}}n{{end}}",
		        "ynnnnnnyn" },
		{ "{{if .Fa}}1{{else if .T}}2{{else}}3{{end}}{{if .Fa}}1{{else if .Fa}}2{{else}}3{{"
		  "end}}",
		        "23" },
		{ "{{with .State}}{{.Pid}}{{end}}{{with .None}}x{{else}}{{.Zero}}{{end}}", "420" },
		{ "{{with .None}}a{{else with .State}}{{.Pid}}{{else}}c{{end}}", "42" },
		{ "{{with $x := .State.Pid}}{{$x}}{{.}}{{end}}", "4242" },
		{ "{{$x := .Zero}}{{$x}}{{$x = \"q\"}}{{$x}}", "0q" },
		{ "{{$x := 1}}{{range .Names}}{{$x = .}}{{end}}{{$x}}", "db" },
		{ "{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21" },
		{ "{{with .Map}}{{range $k, $v := .}}{{$k}}{{end}}{{$.Zero}}{{end}}", "abc0" },
		{ "{{range $p, $c := .Ports}}{{$p}}>{{if $c}}{{(index $c 0).HostPort}}{{end}} {{end}}",
		        "443/tcp> 80/tcp>8080 " },
	};

	check_all(samples);
}

static void functions(void **state)
{
	static const struct sample samples[] = {
		{ "{{.ID | printf \"%.5s\"}} {{.ID | upper}} {{lower \"ABC\"}} {{title .Str}}",
		        "01234 0123456789ABCDEF abc Hello Foo-Bar X_y 9a" },
		{ "{{(index .Objs 0).N}} {{(.State).Pid}} {{(index .Ports \"80/tcp\" 0).HostPort}} "
		  "{{index .Ports \"80/tcp\" 0 \"HostIp\"}}",
		        "x 42 8080 0.0.0.0" },
		{ "{{index .Map \"a\"}} {{index .Names 1}} {{index .Objs 1 \"V\"}} {{index \"abc\" 1}}",
		        "one db 2 98" },
		/* docker's labels are a map of texts, also when there is none */
		{ "{{index .Map \"x\"}}|{{index .EmptyMap \"x\"}}|{{index .None \"x\"}}", "||" },
		{ "{{index .State \"x\"}}{{eq (index .Map \"x\") \"\"}}", "<no value>true" },
		{ "{{len .Names}}{{len .Map}}{{len .ID}}{{len .Uni}}{{len .Empty}}", "231690" },
		{ "{{slice .ID 12}} {{slice .ID 2 5}} {{slice .Names 1}} {{slice .Mixed 1 3 4}}",
		        "cdef 234 [db] [a <nil>]" },
		{ "{{eq 42 .State.Pid}} {{eq .State.Pid 1 2 42}} {{ne .ID \"x\"}} {{eq nil .ID}} "
		  "{{eq .None nil}} {{eq .T true}} {{eq 1 1.0}} {{eq \"a\" \"b\"}}",
		        "true true true false true true true false" },
		{ "{{lt 1 2}}{{le 2 2}}{{gt 1 2}}{{ge \"b\" \"a\"}}{{lt 1.5 2.5}}{{gt .Big 5}}",
		        "truetruefalsetruetruetrue" },
		{ "{{and .T .ID}}|{{or .E .ID}}|{{and .E .T}}|{{or .E .Fa}}|{{and 1 0 2}}|"
		  "{{or 0 \"\" nil 3}}|{{not .T}}|{{not .E}}",
		        "0123456789abcdef|0123456789abcdef||false|0|3|false|true" },
		/* the rest is not looked at */
		{ "{{or .T (index .Names 9)}}{{and .Fa (index .Names 9)}}", "truefalse" },
		{ "{{print 1 2 \"a\" \"b\" 3 4 true nil}}|{{print \"a\" 1 \"b\"}}|{{print}}",
		        "1 2ab3 4 true <nil>|a1b|" },
		{ "{{println 1 \"a\" \"b\"}}{{println}}", "1 a b\n\n" },
		{ "{{join .Names \", \"}}|{{join .Empty \",\"}}|{{join .None \",\"}}|"
		  "{{join (split .Path \",\") \";\"}}|{{join .Mixed \" \"}}",
		        "web, db|||a;b;;c|1 a <nil> true 2.5 [1 2] map[k:v]" },
		{ "{{split .Path \",\"}}{{len (split .Path \",\")}}{{split \"abc\" \"\"}}"
		  "{{len (split \"\" \",\")}}{{len (split \"\" \"\")}}{{len (split .Uni \"\")}}",
		        "[a b  c]4[a b c]103" },
		{ "{{range split .Path \",\"}}<{{.}}>{{end}}", "<a><b><><c>" },
		{ "{{truncate .ID 4}}|{{truncate .ID 100}}|{{truncate .Uni 4}}|{{truncate .ID 0}}",
		        "0123|0123456789abcdef|\xe6\x97\xa5|" },
		{ "{{pad \"x\" 2 3}}|{{pad \"\" 2 3}}|", "  x   ||" },
		{ "{{.Names | len}}{{\",\" | join .Names}}{{3 | slice .ID 1}}", "2web,db12" },
		{ "{{printf \"%s\" (join .Names \",\") | upper | printf \"<%s>\"}}", "<WEB,DB>" },
		{ "{{if and (eq .State.Pid 42) (not .Fa)}}ok{{end}}", "ok" },
		{ "{{.State | json}}", "{\"Running\":true,\"Pid\":42,\"Health\":null,\"F\":1.5}" },
	};

	check_all(samples);
}

static void printf_knows_the_verbs_of_go(void **state)
{
	static const struct sample samples[] = {
		{ "{{printf \"%s %d %v %q %x %t %%\" .ID 3 .Names \"a\\\"b\" \"hi\" true}}",
		        "0123456789abcdef 3 [web db] \"a\\\"b\" 6869 true %" },
		{ "{{printf \"%5d|%-5d|%05d|%+d|% d|%x|%X|%o|%b|%#x|%c|%q\" 42 42 42 42 42 255 255 8 "
		  "5 255 65 65}}",
		        "   42|42   |00042|+42| 42|ff|FF|10|101|0xff|A|'A'" },
		{ "{{printf \"%10s|%-10s|%.2s|%10.2s|%5q|%X\" \"abc\" \"abc\" \"abc\" \"abc\" \"a\" "
		  "\"hi\"}}",
		        "       abc|abc       |ab|        ab|  \"a\"|6869" },
		{ "{{printf \"%6.2f|%e|%g|%.3g|%v|%8v|%G\" 3.14159 1234.5 1e7 1234.5 2.0 1.5 1e-7}}",
		        "  3.14|1.234500e+03|1e+07|1.23e+03|2|     1.5|1E-07" },
		{ "{{printf \"%d %s %t %q %x\" \"a\" 1 1 true true}}",
		        "%!d(string=a) %!s(int=1) %!t(int=1) %!q(bool=true) %!x(bool=true)" },
		{ "{{printf \"%d\" .None}} {{printf \"%v\" nil}} {{printf \"%5v|\" nil}}",
		        "%!d(<nil>) <nil> <nil>|" },
		{ "{{printf \"%d %d\" 1}} {{printf \"%d\" 1 2 \"x\" nil}} {{printf \"100%\"}}",
		        "1 %!d(MISSING) 1%!(EXTRA int=2, string=x, <nil>) 100%!(NOVERB)" },
		{ "{{printf \"%z\" 1}} {{printf \"%d\" 1.5}} {{printf \"%T %T\" 1 \"a\"}}",
		        "%!z(int=1) %!d(float64=1.5) int string" },
		{ "{{printf \"%q\" .Names}} {{printf \"%s\" .Map}} {{printf \"%5v\" .Names}}",
		        "[\"web\" \"db\"] map[a:one b:two c:three] [  web    db]" },
		{ "{{printf \"%d\" .Mixed}}", "[1 %!d(string=a) <nil> %!d(bool=true) "
		                              "%!d(float64=2.5) [1 2] map[%!d(string=k):%!d("
		                              "string=v)]]" },
		{ "{{printf \"%q\" .Evil}}", "\"a\\x1b[31mb\\tc\\nd\\x7f\\u009b\\u202e\"" },
		{ "{{printf \"%6.3d|%.0d|%.3x|%05d|%x\" 5 0 10 -3 -255}}",
		        "   005||00a|-0003|-ff" },
		{ "{{printf \"%-5s|%5s|\" \"\xc3\xa9\" .Uni}}",
		        "\xc3\xa9    |  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e|" },
	};

	check_all(samples);
}

static const struct sample wrong_templates[] = {
	{ "{{.Nope}}", "template: 1:3: at '.Nope': map has no entry for key 'Nope' (it has 'ID'" },
	{ "a\n {{.State.Nope}}", "template: 2:4: at '.State.Nope': map has no entry for key "
	                         "'Nope' (it has 'Running', 'Pid', 'Health', 'F')" },
	{ "{{.id}}", "no entry for key 'id'" },
	{ "{{.State.Pid.X}}", "a value of type int has no field 'X'" },
	{ "{{.None.X}}", "a value of type <nil> has no field 'X'" },
	{ "{{.EmptyMap.X}}", "(it has none)" },
	{ "{{index .Names 2}}", "at 'index': index out of range: 2" },
	{ "{{index .Names -1}}", "index out of range: -1" },
	{ "{{index .Names \"a\"}}", "argument 2 must be a whole number, not string" },
	{ "{{index .Map 1}}", "argument 2 must be a text, not int" },
	{ "{{index .Zero 1}}", "has no parts" },
	{ "{{len .Zero}}", "a value of type int has no length" },
	{ "{{slice .ID 5 2}}", "invalid slice: index 5 > 2" },
	{ "{{slice .ID 1 2 3}}", "a text has no third index" },
	{ "{{slice .Mixed 1 3 2}}", "invalid slice: index 3 > 2" },
	{ "{{slice .ID 0 100}}", "index out of range: 100" },
	{ "{{slice .State 1}}", "argument 1 must be a text or a list" },
	{ "{{eq .ID 1}}", "incompatible types for comparison: string and int" },
	{ "{{eq .T \"true\"}}", "incompatible types for comparison: bool and string" },
	{ "{{lt .T true}}", "only numbers and texts have an order, not bool" },
	{ "{{eq .Names 1}}", "cannot be compared" },
	{ "{{eq 1 .Map}}", "cannot be compared" },
	{ "{{lower 5}}", "at 'lower': argument 1 must be a text, not int" },
	{ "{{join \"a\" \"b\"}}", "argument 1 must be a list, not string" },
	{ "{{truncate .ID -1}}", "index out of range: -1" },
	{ "{{pad .ID 1001 0}}", "index out of range: 1001" },
	{ "{{range .ID}}{{end}}", "range takes a list, a map or a whole number, not string" },
	{ "{{printf 1}}", "argument 1 must be a text" },
	{ "{{printf \"%*d\" 1 2}}", "printf knows" },
	{ "{{printf \"%100001d\" 1}}", "printf knows" },
	{ "{{nil}}", "nil alone is not a value" },
	{ "{{if}}x{{end}}", "1:5: a value is missing" },
	{ "{{if .T}}x", "1:3: this has no {{end}}" },
	{ "{{if .T}}x{{else}}y", "1:3: this has no {{end}}" },
	{ "{{end}}", "'end' without an if, with or range" },
	{ "{{else}}", "'else' without an if, with or range" },
	{ "{{if .T}}a{{else}}b{{else}}c{{end}}", "there is an {{else}} already" },
	{ "{{range .T}}a{{else if .T}}c{{end}}", "'}}' is missing" },
	{ "{{.ID", "the text ends before '}}'" },
	{ "{{", "the text ends before '}}'" },
	{ "{{.ID }", "unexpected '}'" },
	{ "{{\"abc}}", "1:3: the literal has no end" },
	{ "{{`abc}}", "the literal has no end" },
	{ "{{\"a\nb\"}}", "the literal has no end" },
	{ "{{\"\\q\"}}", "no such escape" },
	{ "{{\"\\'\"}}", "no such escape" },
	{ "{{\"\\ud800\"}}", "no such escape" },
	{ "{{'ab'}}", "one character" },
	{ "{{''}}", "one character" },
	{ "{{/* x}}", "the comment has no end" },
	{ "{{/* x */ 1}}", "nothing may stand between a comment" },
	{ "{{nosuch .ID}}", "1:3: function 'nosuch' is not known, only and, eq, ge" },
	{ "{{html .ID}}", "function 'html' is not known" },
	{ "{{js .ID}}", "function 'js' is not known" },
	{ "{{urlquery .ID}}", "function 'urlquery' is not known" },
	{ "{{call .ID}}", "function 'call' is not known" },
	{ "{{define \"x\"}}{{end}}", "'define' is not known: there are no named templates" },
	{ "{{template \"x\"}}", "'template' is not known" },
	{ "{{.ID.}}", "a blank is missing" },
	{ "{{.ID-x}}", "1:6: unexpected '-'" },
	{ "{{.ID | }}", "a value is missing" },
	{ "{{| .ID}}", "a value is missing" },
	{ "{{.ID | .Names}}", "only a function can stand behind '|', not '.Names'" },
	{ "{{.ID \"x\"}}", "'.ID' is not a function, it takes no argument" },
	{ "{{.Label \"x\"}}", "this is not a function, it takes no argument" },
	{ "{{(1}}", "the parenthesis is not closed" },
	{ "{{1)}}", "'}}' is missing" },
	{ "{{()}}", "a value is missing" },
	{ "{{$y}}", "there is no variable '$y' here" },
	{ "{{$y = 1}}", "there is no variable '$y' here" },
	{ "{{$ := 1}}", "a variable needs a name" },
	{ "{{if $x := 1}}{{end}}{{$x}}", "there is no variable '$x' here" },
	{ "{{range $i, $x := .Names}}{{end}}{{$i}}", "there is no variable '$i' here" },
	{ "{{$a, $b := .Names}}", "there is no variable '$a' here" },
	{ "{{break}}", "break and continue stand inside of {{range}}" },
	{ "{{range .T}}{{else}}{{continue}}{{end}}", "inside of {{range}}" },
	{ "{{print \"a\"\"b\"}}", "a blank is missing between two values" },
	{ "{{not 1 2}}", "'not' takes 1 argument, not 2" },
	{ "{{eq 1}}", "'eq' takes at least 2 arguments, not 1" },
	{ "{{1 | not 2}}", "'not' takes 1 argument, not 2" },
	{ "{{print (len)}}", "'len' takes 1 argument, not 0" },
	{ "{{print len}}", "'len' takes 1 argument, not 0" },
	{ "{{9223372036854775808}}", "malformed or too large" },
	{ "{{08}}", "malformed or too large" },
	{ "{{0x}}", "malformed or too large" },
	{ "{{1e}}", "malformed or too large" },
	{ "{{1.2.3}}", "malformed or too large" },
	{ "{{true.X}}", "a field can only be taken of a value" },
	{ "{{\x1b}}", "unexpected '\\x1b'" },
	{ "{{\xff.}}", "function '\\xff' is not known" },
};

static void errors_say_where_and_what(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrong_templates); i++) {
		int code;
		_free_ char *got = run(wrong_templates[i].text, 0, NULL, &code);

		if (code >= 0)
			fail_msg("%s gives '%s'", wrong_templates[i].text, got);
		if (!str_has_prefix(got, "template: "))
			fail_msg("%s: '%s' has no position", wrong_templates[i].text, got);
		assert_contains(got, wrong_templates[i].want);
	}
}

static void a_missing_name_can_be_no_value(void **state)
{
	static const struct template_options options = { .flags = TEMPLATE_NO_VALUE };
	static const struct sample samples[] = {
		{ "{{.Nope}}|{{.Nope.X}}|{{.None.X}}|{{if .Nope}}y{{else}}n{{end}}",
		        "<no value>|<no value>|<no value>|n" },
		{ "{{printf \"%v\" .Nope}}{{json .Nope}}{{range .Nope}}{{else}}e{{end}}",
		        "<nil>nulle" },
	};
	int code;
	_free_ char *got = run("{{.Nope}}", 0, NULL, &code);

	assert_int_equal(code, -ENOENT);
	check(samples, ARRAY_SIZE(samples), 0, &options);
}

static void clean_output_cannot_drive_a_terminal(void **state)
{
	static const struct template_options options = { .flags = TEMPLATE_CLEAN };
#define EVIL "a\\x1b[31mb\\x09c\\x0ad\\x7f\\xc2\\x9b\\xe2\\x80\\xae"
	static const struct sample samples[] = {
		{ "{{.Evil}}", EVIL },
		{ "{{.Evil | upper}}{{slice .Evil 0 2}}{{truncate .Evil 2}}",
		        "A\\x1b[31MB\\x09C\\x0aD\\x7f\\xc2\\x9b\\xe2\\x80\\xaea\\x1ba\\x1b" },
		{ "{{pad .Evil 0 1}}", EVIL " " },
		{ "{{print .Evil}}|{{printf \"%s\" .Evil}}|{{printf .Evil}}",
		        EVIL "|" EVIL "|" EVIL },
		{ "{{with $x := .Evil}}{{$x}}{{.}}{{end}}", EVIL EVIL },
		{ "{{range split .Evil \"c\"}}<{{.}}>{{end}}",
		        "<a\\x1b[31mb\\x09><\\x0ad\\x7f\\xc2\\x9b\\xe2\\x80\\xae>" },
		{ "{{printf \"%v\" (split .Evil \"\\n\")}}",
		        "[a\\x1b[31mb\\x09c d\\x7f\\xc2\\x9b\\xe2\\x80\\xae]" },
		{ "{{and true .Evil}}", EVIL },
		/* what the template says is not touched */
		{ "\t{{\"\\t\"}}{{println .Zero}}{{join .Names \"\\n\"}}{{printf \"%s\\t\" .Zero}}",
		        "\t\t0\nweb\ndb%!s(int=0)\t" },
		/* JSON escapes by itself, and stays JSON */
		{ "{{json .Evil}}", "\"a\\u001b[31mb\\tc\\nd\\u007f\\u009b\\u202e\"" },
		{ "{{len .Evil}}{{eq .Evil .Evil}}", "17true" },
	};
	static const struct sample raw[] = {
		{ "{{.Evil}}", "a\x1b[31mb\tc\nd\x7f\xc2\x9b\xe2\x80\xae" },
	};

	check(samples, ARRAY_SIZE(samples), 0, &options);
	check_all(raw);
}

static void keys_can_be_hostile_too(void **state)
{
	struct json_object *o = json_tokener_parse("{\"M\":{\"\\u001b[1m\":\"\\u0007\"}}");
	static const struct template_options options = { .flags = TEMPLATE_CLEAN };
	_template_free_ struct template *t = NULL, *range = NULL, *missing = NULL;
	_buf_done_ struct buf out = BUF_INIT(1000);
	struct err err;

	assert_int_equal(template_parse("{{.M}}{{json .M}}", 0, &t, &err), 0);
	assert_int_equal(template_exec(t, o, &options, &out, &err), 0);
	assert_string_equal(buf_str(&out), "map[\\x1b[1m:\\x07]{\"\\u001b[1m\":\"\\u0007\"}");
	buf_clear(&out);
	assert_int_equal(template_parse("{{range $k, $v := .M}}{{$k}}{{end}}", 0, &range, &err), 0);
	assert_int_equal(template_exec(range, o, &options, &out, &err), 0);
	assert_string_equal(buf_str(&out), "\\x1b[1m");
	assert_int_equal(template_parse("{{.M.x}}", 0, &missing, &err), 0);
	assert_int_equal(template_exec(missing, o, &options, &out, &err), -ENOENT);
	assert_contains(err.text, "(it has '\\x1b[1m')");
	(void) json_object_put(o);
}

static void headers_and_labels(void **state)
{
	struct json_object *labels = json_tokener_parse("{\"com.x\":\"v\\u001b\"}");
	const struct template_options row = { .flags = TEMPLATE_CLEAN | TEMPLATE_LABELS,
		.labels = labels };
	static const struct template_options header = { .flags = TEMPLATE_HEADER };
	static const struct sample rows[] = {
		{ "{{.Label \"com.x\"}}|{{.Label \"nope\"}}|{{$.Label \"com.x\"}}|"
		  "{{range .Names}}{{$.Label \"com.x\"}}{{end}}",
		        "v\\x1b||v\\x1b|v\\x1bv\\x1b" },
		{ "{{if .Label \"com.x\"}}y{{end}}{{upper (.Label \"com.x\")}}", "yV\\x1b" },
	};
	static const struct sample headers[] = {
		{ "{{.Label \"com.foo.my-label_x\"}}|{{.Label \"x\"}}", "my label x|x" },
		{ "{{json .Str}}|{{upper .Str}}|{{truncate .Str 2}}|{{split .Str \",\"}}|{{lower .ID}}",
		        "hello foo-bar x_y 9a|hello foo-bar x_y 9a|hello foo-bar x_y 9a|"
		        "hello foo-bar x_y 9a|0123456789abcdef" },
		{ "{{pad .E 1 1}}{{pad .Path 1 1}}|", " a,b,,c |" },
	};
	static const char *const wrong[] = { "{{range .Names}}{{.Label \"x\"}}{{end}}",
		"{{.Label 1}}", "{{.Label}}", "{{.Label \"a\" \"b\"}}" };

	check(rows, ARRAY_SIZE(rows), 0, &row);
	check(headers, ARRAY_SIZE(headers), 0, &header);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		int code;
		_free_ char *got = run(wrong[i], 0, &row, &code);

		if (code >= 0)
			fail_msg("%s gives '%s'", wrong[i], got);
	}
	(void) json_object_put(labels);
}

/* n times the text, as new memory. */
static char *repeat(const char *text, size_t n)
{
	_buf_done_ struct buf b = BUF_INIT(1 << 20);

	for (size_t i = 0; i < n; i++)
		assert_int_equal(buf_adds(&b, text), 0);
	return buf_take(&b);
}

static void bounds_of_a_template_hold(void **state)
{
	static const struct {
		const char *before, *part, *middle, *end;
		size_t good, bad;
		const char *why;
	} bounds[] = {
		{ "", "x", "", "", TEMPLATE_SIZE_MAX, TEMPLATE_SIZE_MAX + 1, "longer than" },
		{ "", "{{if .T}}", "", "{{end}}", TEMPLATE_DEPTH_MAX - 1, TEMPLATE_DEPTH_MAX,
		        "nested deeper" },
		{ "{{", "(", "1", ")", TEMPLATE_DEPTH_MAX - 1, TEMPLATE_DEPTH_MAX,
		        "nested deeper" },
		{ "", "{{1}}", "", "", TEMPLATE_NODES_MAX / 2, TEMPLATE_NODES_MAX / 2 + 1,
		        "parts" },
		{ "{{print ", "1 ", "", "", TEMPLATE_ARGS_MAX, TEMPLATE_ARGS_MAX + 1, "arguments" },
		{ "", "{{$x := 1}}", "", "", TEMPLATE_VARS_MAX - 1, TEMPLATE_VARS_MAX,
		        "variables" },
		{ "{{if .T}}", "{{else if .T}}", "", "", TEMPLATE_DEPTH_MAX - 2, TEMPLATE_DEPTH_MAX,
		        "nested deeper" },
		{ "{{", ".A", "", "", TEMPLATE_ARGS_MAX, TEMPLATE_ARGS_MAX + 1, "fields" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(bounds); i++)
		for (int bad = 0; bad < 2; bad++) {
			size_t n = bad ? bounds[i].bad : bounds[i].good;
			bool action = str_has_prefix(bounds[i].before, "{{") &&
			              !str_has_suffix(bounds[i].before, "}}");
			_free_ char *parts = repeat(bounds[i].part, n),
			            *ends = repeat(bounds[i].end, n),
			            *text = xprintf("%s%s%s%s%s%s", bounds[i].before, parts,
			                    bounds[i].middle, ends, action ? "}}" : "",
			                    str_has_prefix(bounds[i].before, "{{if") ? "{{end}}"
			                                                             : "");
			_template_free_ struct template *t = NULL;
			struct err err = { 0 };
			int r = template_parse(text, 0, &t, &err);

			if (r != (bad ? -EMSGSIZE : 0))
				fail_msg("%.60s... (%zu): %d %s", text, n, r, err.text);
			if (bad)
				assert_contains(err.text, bounds[i].why);
		}
}

static void bounds_of_an_execution_hold(void **state)
{
	static const char *const greedy[] = {
		"{{range 2000}}{{range 2000}}{{end}}{{end}}",
		"{{range 1000000000000}}x{{end}}",
		"{{$x := \"0123456789\"}}{{range 100}}{{$x = print $x $x}}{{end}}",
		"{{range 2000}}{{$x := printf \"%100000s\" \"\"}}{{end}}",
		"{{$s := printf \"%10000s\" \"\"}}{{range 2000}}{{$x := split $s \" \"}}{{end}}",
		"{{range 100000}}{{$x := slice $.Mixed 1}}{{$y := slice $.Mixed 1}}{{end}}",
		"{{range 100}}{{printf \"%100000s\" \"\"}}{{end}}",
	};
	int code;

	for (size_t i = 0; i < ARRAY_SIZE(greedy); i++) {
		_free_ char *got = run(greedy[i], 0, NULL, &code);

		if (code != -EMSGSIZE)
			fail_msg("%s: %d '%.100s'", greedy[i], code, got);
	}
}

static void values_can_be_too_deep(void **state)
{
	struct json_object *o = json_object_new_array();
	_template_free_ struct template *t = NULL, *json = NULL;
	_buf_done_ struct buf out = BUF_INIT(10000);
	struct err err;

	for (size_t i = 0; i < 1000; i++) {
		struct json_object *outer = json_object_new_array();

		(void) json_object_array_add(outer, o);
		o = outer;
	}
	assert_int_equal(template_parse("{{.}}", 0, &t, &err), 0);
	assert_int_equal(template_parse("{{json .}}", 0, &json, &err), 0);
	assert_true(template_exec(t, o, NULL, &out, &err) < 0);
	assert_contains(err.text, "nested too deeply");
	assert_true(template_exec(json, o, NULL, &out, &err) < 0);
	assert_contains(err.text, "nested too deeply");
	(void) json_object_put(o);
}

static void a_template_is_executed_many_times(void **state)
{
	_template_free_ struct template *t = NULL;
	_buf_done_ struct buf out = BUF_INIT(1000);
	struct err err;

	assert_int_equal(
	        template_parse("{{$x := .A}}{{$x}}{{.A | printf \"%v\"}};", 0, &t, &err), 0);
	for (int i = 0; i < 3; i++) {
		struct json_object *o = json_object_new_object();

		(void) json_object_object_add(o, "A", json_object_new_int(i));
		assert_int_equal(template_exec(t, o, NULL, &out, &err), 0);
		(void) json_object_put(o);
	}
	assert_string_equal(buf_str(&out), "00;11;22;");
	buf_clear(&out);
	assert_int_equal(template_exec(t, NULL, NULL, &out, &err), -ENOENT);
}

static void what_a_template_uses_is_known(void **state)
{
	static const struct {
		const char *text;
		bool uses;
	} samples[] = {
		{ "{{.Size}}", true },
		{ "{{.ID}}", false },
		{ "{{json .}}", true },
		{ "{{range .Names}}{{if eq . \"x\"}}{{end}}{{end}}", true },
		{ "{{with $x := $.Size}}{{end}}", true },
		{ "{{if .T}}{{else}}{{printf \"%s\" (lower .Size)}}{{end}}", true },
		{ "{{.SizeRw}}{{.A.Size}}Size", false },
		{ "{{$x := 1}}{{$x}}", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(samples); i++) {
		_template_free_ struct template *t = NULL;

		assert_int_equal(template_parse(samples[i].text, 0, &t, NULL), 0);
		if (template_uses(t, "Size") != samples[i].uses)
			fail_msg("%s", samples[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		testkit_case(values_print_as_go_prints_them),
		testkit_case(literals),
		testkit_case(blanks_and_comments),
		testkit_case(control_structures),
		testkit_case(functions),
		testkit_case(printf_knows_the_verbs_of_go),
		testkit_case(errors_say_where_and_what),
		testkit_case(a_missing_name_can_be_no_value),
		testkit_case(clean_output_cannot_drive_a_terminal),
		testkit_case(keys_can_be_hostile_too),
		testkit_case(headers_and_labels),
		testkit_case(bounds_of_a_template_hold),
		testkit_case(bounds_of_an_execution_hold),
		testkit_case(values_can_be_too_deep),
		testkit_case(a_template_is_executed_many_times),
		testkit_case(what_a_template_uses_is_known),
	};

	return testkit_run(tests);
}
