#!/usr/bin/env python3
"""Compares this project's CEL with Google's C++ implementation on generated expressions.

    python3 Tests/Oracles/cel_differential.py [--count 100000] [--seed 1] [--remit .build/release/remit]

Expressions are written from a typed grammar with edge constants, all macros and the libraries that both have; one in twelve parts is of a
wrong type on purpose. Both sides evaluate unchecked. Values have to be the same, with their types; errors need only be errors. What differs
for a reason that the specification gives is listed in EXPLAINED and counted; anything else is printed, and the exit code is 1.

The other side is `cel-expr-python` (Apache-2.0) from PyPI, put into an environment of its own in .build; where that cannot be had the check
is skipped with exit code 77.
"""
import argparse, base64, collections, datetime, json, math, os, pickle, random, re, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

try:
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_bindings, ext_encoders, ext_math, ext_optional, ext_strings
except ImportError:
    venv = os.path.join(ROOT, ".build", "cel-venv")
    if sys.prefix == venv or "CEL_VENV" in os.environ:
        sys.exit("skipped: cel-expr-python cannot be imported")
    made = subprocess.run([sys.executable, "-m", "venv", venv]).returncode == 0 and subprocess.run(
        [venv + "/bin/pip", "install", "--quiet", "cel-expr-python==0.1.3"]).returncode == 0
    if not made:
        print("skipped: cel-expr-python cannot be installed", file=sys.stderr)
        sys.exit(77)
    os.execve(venv + "/bin/python", [venv + "/bin/python"] + sys.argv, {**os.environ, "CEL_VENV": "1"})

def error(answer, text=""): return "error" in answer and text in answer["error"]

# What differs, and the clause that allows it: doc/langdef.md of github.com/google/cel-spec, or the pages of the extensions of cel-go.
EXPLAINED = [  # (reason, whether it holds for an expression with our answer and theirs)
    ("ext/strings, substring: the end is exclusive, so it may be the size of the text; the other side refuses that",
     lambda e, a, b: error(b, "<string>.substring(<start>, <end>)")),
    ("langdef, Overflow: durations are limited to an int64 of nanoseconds, roughly 290 years; the other side takes more",
     lambda e, a, b: error(a, "292 years") or "315576000000s" in e and error(a)),
    ("RFC 4648, 3.3 and 3.5: characters outside the alphabet are refused, and bits that are left over may be",
     lambda e, a, b: "base64.decode" in e and error(a)),
    ("langdef, List of Standard Definitions, string(double): the digits and the names of infinity and NaN are left open",
     lambda e, a, b: re.search(r"string\(|%s", e) and re.search(r"\d\.\d|e\d|/|\bd\b|-?0\.0", e) and re.search(r"(?i)inf|nan|e[+-]\d|[+-]e|fni|\d{6}|\d\.\d|'9'|-0", str(b))),
    ("langdef, string(timestamp) and string(duration): the digits of a fraction are left open; a year has four (RFC 3339)",
     lambda e, a, b: re.search(r"string\(|%s", e) and re.search("timestamp|duration", e) and not error(a) and not error(b)),
    ("langdef, Equality and Ordering: `in` compares with each key, and values of different types are unequal; the other side errs",
     lambda e, a, b: " in " in e and error(b) and not error(a)),
    ("langdef, List of Standard Definitions: `int` takes no truth value, as here, but lengths of time (cel-go); the other side is the reverse",
     lambda e, a, b: error(a, "`int` cannot be applied to `bool`") or error(b, "int(duration)")),
    ("ext/strings, format: the digits of a double under `%s` are left open", lambda e, a, b: "%s" in e and not error(a) and not error(b)),
    ("langdef, string(double): so is whether the text can be read as an integer", lambda e, a, b: "string(" in e and error(b, "cannot convert string")),
    ("ext/math: a literal that is no number errs where it is evaluated; the other side errs when it parses", lambda e, a, b: error(b, "simple literal")),
    ("ext/bindings: a name is bound for the body alone; the other side takes it for the variable of an earlier macro of that name",
     lambda e, a, b: "cel.bind(x" in e and error(b, "No matching overloads")),
    ("langdef, Macros: the order of the keys of a map is left open", lambda e, a, b: re.search(r"\.(map|filter)\(x", e) and "{" in e and not error(a) and not error(b)),
    ("langdef, Logical Operators: what decides alone absorbs an error; the other side lets one of a map literal through",
     lambda e, a, b: error(b, "duplicate key in map") and not error(a)),
    ("langdef, Values: a string is Unicode; the other side makes one of bytes that are no UTF-8", lambda e, a, b: error(a, "UTF-8")),
    ("langdef, Logical Operators: `!` takes a truth value; the other side drops `!!` where types are not checked",
     lambda e, a, b: re.search(r"!\(?!", e) and error(a)),
    ("ext/strings, format: `%d` takes integers, and of doubles infinity and NaN", lambda e, a, b: error(a, "cannot show a value of type")),
]
VARIABLES = {  # name: (declared type, value for the other side, tagged value)
    "i": ("INT", 7, {"int": "7"}), "u": ("UINT", 3, {"uint": "3"}), "d": ("DOUBLE", 1.5, {"double": "1.5"}),
    "s": ("STRING", "héllo", {"string": "héllo"}), "f": ("BOOL", True, {"bool": True}),
    "y": ("BYTES", b"a\xff", {"bytes": "Yf8="}), "n": ("NULL", None, {"null": None}),
    "l": ("DYN", [3, 1, 2], {"list": [{"int": "3"}, {"int": "1"}, {"int": "2"}]}),
    "m": ("DYN", {"a": 1, "b": "low"}, {"map": [[{"string": "a"}, {"int": "1"}], [{"string": "b"}, {"string": "low"}]]}),
}
INTS = ["0", "1", "-1", "2", "7", "-7", "10", "9223372036854775807", "-9223372036854775808", "9007199254740993", "2147483648", "i", "0x1F"]
UINTS = ["0u", "1u", "2u", "7u", "18446744073709551615u", "9007199254740993u", "u", "0x1Fu"]
DOUBLES = ["0.0", "-0.0", "1.0", "1.5", "-2.25", "0.1", "1e300", "-1e300", "1e-7", "100.0", "123456.75", "9007199254740992.0",
           "9223372036854775807.0", "1e19", "(1.0/0.0)", "(-1.0/0.0)", "(0.0/0.0)", "d", ".5e1"]
STRINGS = ["''", "'a'", "'abc'", "'é'", "'e\\u0301'", "'日本語'", "'\\U0001F44D'", "'1'", "'-7'", "'1.5'", "'true'", "'a,b,,c'", "'  x '",
           "'A\\nb\\t\"'", "r'\\d'", '"""q"""', "'90s'", "'2026-01-01T10:00:00Z'", "s", "'%'", "'ABC xyz'", "'NaN'", "'+02:00'"]
BYTES = ["b''", "b'abc'", "b'\\xff'", "b'é'", "b'\\x00\\x01'", "y"]
DURATIONS = ["'0s'", "'90s'", "'1h30m'", "'-1.5s'", "'1ns'", "'3600s'", "'315576000000s'", "'1.000000001s'"]
TIMES = ["'1970-01-01T00:00:00Z'", "'2026-01-01T10:00:00.5Z'", "'0001-01-01T00:00:00Z'", "'9999-12-31T23:59:59Z'",
         "'2024-02-29T12:00:00+02:00'", "'1969-12-31T23:59:59.999999999Z'"]
ANY = ["bool", "int", "uint", "double", "string", "bytes", "list", "map", "duration", "time", "null"]
# What a part of a kind can be: `$kind` is a part of that kind, `$0kind` a leaf of it, `a|b` (in brackets) a choice; after `~` a variable `@`
# of a macro is there, also as an `int`.
LEAVES = {
    "bool": ["true", "false", "f", "has(m.a)", "has(m.z)"], "int": INTS, "uint": UINTS, "double": DOUBLES, "string": STRINGS, "bytes": BYTES,
    "duration": [f"duration({d})" for d in DURATIONS], "time": [f"timestamp({t})" for t in TIMES], "null": ["null", "n"],
    "list": ["[]", "[1, 2, 3]", "l", "[1, 1u, 1.0]", "['a', 'b']", "[null]"],
    "map": ["{}", "m", "{'a': 1, 'z': 2.5}", "{1: 'x', 2u: 'y'}", "{true: 1}"], "optional": ["optional.none()", "optional.of(1)", "m.?a", "m.?z"],
}
PARTS = {
    "bool": ["($bool && $bool)", "($bool || $bool)", "!$bool", "($bool ? $bool : $bool)", "($any == $any)", "($list == $list)", "($map != $map)",
             "($int in $list)", "($string in $map)", "$list.[all|exists|exists_one](@, ~$bool)", "$string.[startsWith|endsWith|contains]($string)",
             "$string.matches(#pattern)", "$optional.hasValue()", "math.[isNaN|isInf|isFinite]($double)", "(type($any) == #type)"]
    + [f"(${k} [<|<=|>|>=|==|!=] ${k})" for k in ["int", "uint", "double", "string", "bytes", "bool", "duration", "time"]]
    + ["($int [<|<=|>|>=|==|!=] $uint)", "($uint [<|<=|>|>=|==|!=] $double)", "($double [<|<=|>|>=|==|!=] $int)"],
    "int": ["($int [+|-|*|/|%] $int)"] * 4 + [
        "-($int)", "size($string)", "size($bytes)", "size($list)", "size($map)", "$list[$0int]", "int($double)", "int($uint)", "int($string)",
        "int($time)", "($bool ? $int : $int)", "$string.[indexOf|lastIndexOf]($string)", "$duration.[getHours|getMinutes|getSeconds|getMilliseconds]()",
        "$time.[getFullYear|getMonth|getDate|getDayOfMonth|getDayOfWeek|getDayOfYear|getHours|getMinutes|getSeconds|getMilliseconds](#zone)",
        "$optional.orValue($int)", "$optional.value()", "math.[greatest|least]($int, $int)", "math.[abs|sign|bitNot]($int)",
        "math.[bitAnd|bitOr|bitXor]($int, $int)", "math.[bitShiftLeft|bitShiftRight]($int, [0|1|63|64|-1])"],
    "uint": ["($uint [+|-|*|/|%] $uint)"] * 3 + ["uint($int)", "uint($double)", "uint($string)", "($bool ? $uint : $uint)"],
    "double": ["($double [+|-|*|/] $double)"] * 3 + [
        "-($double)", "double($int)", "double($uint)", "double($string)", "double(string($double))", "($bool ? $double : $double)",
        "math.[ceil|floor|round|trunc|abs|sign|sqrt]($double)"],
    "string": ["($string + $string)"] * 2 + [
        "string($int)", "string($uint)", "string($bool)", "string($bytes)", "string($time)", "string($duration)", "base64.encode($bytes)",
        "$string.[lowerAscii|upperAscii|trim|reverse]()", "$string.charAt($0int)", "$string.substring([0|1|2|-1|0, 1|1, 3|2, 1])",
        "$string.replace($string, $string[|, 1|, -1|, 0])", "$string.split($string[|, 2|, 0]).join([|'-'|''])", "strings.quote($string)",
        "'[%s|%d|%x|%b|%o|%X]'.format([$int])", "'[%s|%x]-%s'.format([$string, $any])", "cel.bind(@, $string, ~@ + $string)", "$map.[a|b]",
        "($bool ? $string : $string)"],
    "bytes": ["($bytes + $bytes)", "bytes($string)", "base64.decode($0string)", "base64.decode(base64.encode($bytes))"],
    "duration": ["($duration [+|-] $duration)", "($time - $time)", "duration($string)"],
    "time": ["($time [+|-] $duration)", "timestamp($int)", "timestamp($0string)"], "null": ["$0null"],
    "optional": ["optional.of($int)", "$map.?[a|z]", "$list[?$0int]", "optional.ofNonZeroValue($int)", "$optional.optMap(@, ~$int)", "$optional.or($optional)"],
    "list": ["[$int, $int]", "($list + $list)", "$list.filter(@, ~$bool)", "$list.map(@, ~$[int|string|list])", "$list.map(@, ~$bool, $int)",
             "[$any, ?$optional]", "$map.map(@, ~$string)"],
    "map": ["{'a': $any, $string: $int}", "{$int: $any}", "{?'a': $optional, 'b': $string}"],
}
WORDS = {
    "pattern": ["'a'", "'^a.*c$'", "'[0-9]+'", "'\\\\p{L}+'", "'(a|b)*c?'", "''", "'^$'", "'(?i)ABC'", "'\\\\bx'", "'h.llo'"],
    "type": ["int", "uint", "double", "string", "bytes", "bool", "list", "map", "null_type", "type"],
    "zone": ["", "'UTC'", "'+02:00'", "'-11:30'", "'Europe/Berlin'", "'America/New_York'"],
}
class Writer:
    def __init__(self, seed): self.random, self.depth = random.Random(seed), 0
    def part(self, kind, levels):
        pick = self.random.choice
        if kind == "any" or levels > 0 and self.random.random() < 1 / 12: kind = pick(ANY)  # now and then of a wrong kind
        if levels <= 0: return pick(LEAVES[kind] + ([f"x{i}" for i in range(self.depth)] * 2 if kind == "int" else []))
        template = pick(PARTS[kind])
        # Choices in brackets hold no part, but for `$[…]`; brackets of the language hold one of `$ ? ,`.
        template = re.sub(r"\[([^$?\[\]]*\|[^$?\[\]]*)\]", lambda m: pick(m[1].split("|")), template)
        template = re.sub(r"#(\w+)", lambda m: pick(WORDS[m[1]]), template)
        before, _, after = template.partition("~")
        name, fill = f"x{self.depth}", lambda text: re.sub(r"\$(0?)([a-z]+)", lambda m: self.part(m[2], 0 if m[1] else levels - 1), text)
        text = fill(before)
        if after:
            self.depth += 1
            text += fill(after)
            self.depth -= 1
        return text.replace("@", name) if after else text
def ours(remit, expressions):
    """The program's answers, one line each."""
    bindings = {name: tagged for name, (_, _, tagged) in VARIABLES.items()}
    lines = "".join(json.dumps({"expr": e, "bindings": bindings}) + "\n" for e in expressions)
    done = subprocess.run([remit, "policy", "try", "--jsonl", "-"], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]
NAMES = {"LIST": "list", "MAP": "map", "NULL": "null_type", "DURATION": "google.protobuf.Duration", "TIMESTAMP": "google.protobuf.Timestamp",
         "OPTIONAL": "optional_type"}
def tag(value):
    """A value of the other side, tagged."""
    kind = re.split("[<(]", value.type().name())[0]
    if kind == "ERROR": return {"error": value.value()}
    if kind in ("OPTIONAL", "optional_type"): return {"optional": None}
    content = value.value()
    if kind == "NULL": return {"null": None}
    if kind == "TYPE":
        name = re.split("[<(]", str(content))[0]
        return {"type": NAMES.get(name, name.lower())}
    if kind == "DOUBLE": return {"double": content}
    if kind == "BYTES": return {"bytes": bytes(content)}
    if kind == "DURATION": return {"duration": content / datetime.timedelta(microseconds=1)}
    if kind == "TIMESTAMP": return {"timestamp": content.replace(tzinfo=None)}
    if kind == "LIST": return {"list": [tag(v) for v in content]}
    if kind == "MAP": return {"map": {key(k): tag(v) for k, v in content.items()}}
    return {kind.lower(): content if kind in ("BOOL", "STRING") else str(content)}
def key(k): return ("b", k) if isinstance(k, bool) else ("s", k) if isinstance(k, str) else ("n", int(k))
def plain(tagged):
    """A tagged value of ours in the form of `tag`: keys of maps lose their number type, which the other side does not show."""
    kind, content = next(iter(tagged.items()))
    if kind == "double": return {"double": float(content)}
    if kind == "bytes": return {"bytes": base64.b64decode(content)}
    if kind == "duration": return {"duration": float(content[:-1]) * 1e6}
    if kind == "timestamp":
        return {"timestamp": datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", content).replace("Z", ""))}
    if kind == "list": return {"list": [plain(v) for v in content]}
    if kind == "map":
        return {"map": {key(next(iter(k.values())) if "int" not in k and "uint" not in k else int(next(iter(k.values())))): plain(v) for k, v in content}}
    return tagged

def same(a, b):
    (x, v), (y, w) = next(iter(a.items())), next(iter(b.items()))
    if x != y: return False
    if x == "error": return True
    if x == "double": return v == w and math.copysign(1, v) == math.copysign(1, w) or v != v and w != w
    if x == "duration": return abs(v - w) < max(1, abs(v) * 1e-9)  # the other side shows whole microseconds
    if x == "list": return len(v) == len(w) and all(same(i, j) for i, j in zip(v, w))
    if x == "map": return v.keys() == w.keys() and all(same(v[k], w[k]) for k in v)
    return v == w

def theirs(env, expression):
    try:
        return tag(env.compile(expression, disable_check=True).eval(data={n: v for n, (_, v, _) in VARIABLES.items()}))
    except (RuntimeError, TypeError) as error:
        return {"error": str(error)}

def all_theirs(env, expressions):
    """The other side's answers, from processes of its own: its library crashes now and then, and not twice at the same place."""
    answers = []
    while len(answers) < len(expressions):
        (reader, writer), start = os.pipe(), len(answers)
        child = os.fork()
        if child == 0:
            os.close(reader)
            with os.fdopen(writer, "wb", buffering=0) as out:
                for expression in expressions[start:]: out.write(pickle.dumps(theirs(env, expression)))
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader, "rb") as source:
            try:
                while True: answers.append(pickle.load(source))
            except (EOFError, pickle.UnpicklingError): pass
        os.waitpid(child, 0)
        if len(answers) == start: answers.append({"crash": None})
    return answers

def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--count", type=int, default=100_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--remit", default=os.path.join(ROOT, ".build/release/remit"))
    arguments.add_argument("--show", type=int, default=40, help="how many differences to print")
    given = arguments.parse_args()
    writer = Writer(given.seed)
    libraries = [ext_bindings.ExtBindings(), ext_encoders.ExtEncoders(), ext_math.ExtMath(), ext_optional.ExtOptional(), ext_strings.ExtStrings()]
    env = cel.NewEnv(extensions=libraries, variables={n: getattr(cel.Type, t) for n, (t, _, _) in VARIABLES.items()})
    counts, printed, done = collections.Counter(), 0, 0
    while done < given.count:
        batch = []
        while len(batch) < min(5000, given.count - done):
            kind = writer.random.choice(["bool", "bool", "int", "uint", "double", "string", "bytes", "list", "map"])
            batch.append(writer.part(kind, writer.random.randrange(1, 5)))
        for expression, answer, b in zip(batch, ours(given.remit, batch), all_theirs(env, batch)):
            a = plain(answer)
            if "crash" in b:
                counts["the other side crashes"] += 1
                continue
            counts["errors on both sides" if "error" in a and "error" in b else "values" if same(a, b) else "differences"] += 1
            if same(a, b): continue
            reason = next((why for why, holds in EXPLAINED if holds(expression, a, b)), None)
            counts[reason or "UNEXPLAINED"] += 1
            if reason is None and printed < given.show:
                printed += 1
                print(f"{expression}\n  ours   {str(a)[:200]}\n  theirs {str(b)[:200]}")
        done += len(batch)
    print(f"{done} expressions, seed {given.seed}")
    for what, count in counts.most_common(): print(f"{count:8}  {what}")
    sys.stdout.flush()
    os._exit(1 if counts["UNEXPLAINED"] else 0)  # the other side's library crashes when the interpreter is taken down in order

main()
