#!/usr/bin/env python3
"""Checks a Remit bundle offline and says in plain words what it proves: remit_verify.py BUNDLE

It shares no code with Remit: the section "Bundles" of the README is all that it relies on. It needs Python 3 and, where
something is signed, stock `ssh-keygen` and `openssl`. It exits with 0 only if everything holds."""
import argparse, base64, hashlib, itertools, json, re, subprocess, sys, tempfile
from datetime import datetime, timedelta, timezone

class Bad(Exception):
    """What does not hold."""

def need(holds, what):
    if not holds:
        raise Bad(what)

def sha(data):
    return hashlib.sha256(data).digest()

def unbase64(text, length=None):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text and length in (None, len(data)), "base64 in another way, or of another length")
    return data

def fingerprint(key):
    return "SHA256:" + base64.b64encode(sha(unbase64(key.split(" ")[1]))).decode().rstrip("=")

def moment(milliseconds):
    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)

def canonical(value):
    """RFC 8785, for names in ASCII and numbers without fractions: all that Remit writes outside of content."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

def strict(data, members, more):
    value = json.loads(data.decode(), parse_float=int)
    need(canonical(value).encode() == data, "JSON that is not canonical")
    return shape(value, members, more)

def shape(value, members, more=()):
    need({*members} <= {*value} <= {*members, *more}, f"other members than {', '.join(members)}")
    return value

def run(command, stdin=b"", **files):
    """Whether a program says yes; the files lie in a folder of its own, which is named by `{}`."""
    with tempfile.TemporaryDirectory(prefix="remit-verify-") as folder:
        for name, data in files.items():
            with open(f"{folder}/{name}", "wb") as file:
                file.write(data)
        words, environment = command.replace("{}", folder).split(), {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/local/bin"}
        return subprocess.run(words, input=stdin, capture_output=True, env=environment).returncode == 0

# The log: C2SP tlog-checkpoint and signed-note, proofs of RFC 6962.

def read_checkpoint(note):
    match = re.fullmatch(r"(([^\s+]+)\n(0|[1-9]\d*)\n([A-Za-z0-9+/]{43}=)\n)(?:\n((?:— [^\n]+\n)+))?", note)
    need(match, "the checkpoint is not written as C2SP tlog-checkpoint says")
    text, origin, size, root, signatures = match.groups()
    return text, origin, int(size), unbase64(root), (signatures or "").split("\n")[:-1]

def check_signature(text, key, line):
    name, key_id, public = key.split("+", 2)
    public, blob = unbase64(public, 33), unbase64(line.removeprefix(f"— {name} "))
    expected = sha(name.encode() + b"\n" + public)[:4]
    need(key_id == expected.hex() and blob[:4] == expected, "a key of the checkpoint has another id")
    need(public[0] in (1, 4), "a key of the checkpoint is not one of Ed25519")
    if public[0] == 4:  # of a witness: C2SP tlog-cosignature
        text, blob = f"cosignature/v1\ntime {int.from_bytes(blob[4:12], 'big')}\n{text}", blob[8:]
    der = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + public[1:])  # RFC 8410, section 4
    pem = b"-----BEGIN PUBLIC KEY-----\n" + der + b"\n-----END PUBLIC KEY-----\n"
    command = "openssl pkeyutl -verify -pubin -inkey {}/key -rawin -in {}/text -sigfile {}/signature"
    need(run(command, text=text.encode(), key=pem, signature=blob[4:]), f"the signature of {name} is not good")

def root_of(leaf, index, size, proof):
    need(0 <= index < size and bool(proof) == (size > 1), "a proof does not fit the checkpoint")
    half = 1 << (size - 1).bit_length() - 1 if size > 1 else 0
    if size == 1:
        return leaf
    if index < half:
        return sha(b"\x01" + root_of(leaf, index, half, proof[:-1]) + proof[-1])
    return sha(b"\x01" + proof[-1] + root_of(leaf, index - half, size - half, proof[:-1]))

class Entry:
    """An entry whose form, content and place in the log hold."""

    def __init__(self, item, size, root):
        data = item["envelope"].encode()
        envelope = strict(data, ["body", "index", "principal", "time", "type"], ["commitments", "evidence", "release", "run"])
        vars(self).update({"commitments": {}, "evidence": [], "release": None, "run": None} | envelope)
        self.definition, self.content, self.withheld = item.get("definition"), {}, []
        proof = [bytes.fromhex(text) for text in item["proof"]]
        need([node.hex() for node in proof] == item["proof"], "a proof is not in lower-case hex")
        need(root_of(sha(b"\x00" + data), self.index, size, proof) == root, f"#{self.index} is not proven to be there")
        shape(item, ["envelope", "proof"] + ["content"] * bool(self.commitments), ["definition"])
        names = [part["part"] for part in item.get("content", [])]
        need(names == [*self.commitments], f"#{self.index} has other content than it names")
        for name, part in zip(names, item.get("content", [])):
            if part == {"part": name, "withheld": True}:
                self.withheld.append(name)
                continue
            form = "text" if "text" in part else "base64"
            data = shape(part, ["part", "salt", form])[form]
            data = self.content[name] = data.encode() if form == "text" else unbase64(data)
            need(form == "text" or data.decode(errors="ignore").encode() != data, "text that is written as base64")
            need(sha(unbase64(part["salt"], 16) + data).hex() == self.commitments[name],
                 f"part `{name}` of #{self.index} is not what it commits to")

    def words(self, part):
        return self.content.get(part, b"(none)").decode(errors="replace")

# What the entries mean.

class Directory:
    """People, roles, delegations and absences, as the entries so far have made them."""

    def __init__(self):
        self.person, self.role, self.delegation, self.absence = {}, {}, {}, {}

    def change(self, kind, change):
        noun, verb = kind.split(".")
        thing, table = change.get(noun), getattr(self, "person" if noun == "key" else noun)
        if noun == "key":
            person = table[change["person"]]
            left = [key for key in person.get("keys", []) if fingerprint(key) != change.get("fingerprint")]
            person["keys"] = left + [change["key"]] * (verb == "add")
        elif verb == "put":
            table[thing if noun == "role" else thing["id"]] = thing
        else:
            del table[change["id"] if verb == "end" else thing]
        if verb == "leave":
            for name in ("delegation", "absence"):
                setattr(self, name, {id: given for id, given in getattr(self, name).items() if thing not in given.values()})

    def known(self, principal):
        return self.person.get(principal.removeprefix("user:"), {})

    def held(self, vote, process, time):
        """The roles that somebody approves with, and in whose whole place."""
        by, place = vote["by"], vote.get("for", vote["by"])
        person = {"roles": [*self.role]} if vote.get("operator") else self.known(place)
        roles = {"role:" + name for name in person.get("roles", [])}
        if by == place:
            return roles | ({by} if person else set())
        for given in [*self.delegation.values(), *self.absence.values()]:
            names = ("from", "to", "since") if "since" in given else ("person", "deputy", "from")
            giver, taker, since = (given.get(name, "") for name in names)
            live = datetime.fromisoformat(since) <= moment(time) < datetime.fromisoformat(given["until"])
            here = not given.get("processes") or process in given["processes"]
            if live and here and ("user:" + giver, "user:" + taker) == (place, by):
                return roles & {"role:" + name for name in given["roles"]} if given.get("roles") else roles | {place}
        return set()

class Case:
    """The run: what was proposed in it, what people decided, and what came of it."""

    def __init__(self, log, run, trusted):
        self.log, self.run, self.trusted, self.requester, self.process = log, run, trusted, None, None
        self.directory, self.proposals, self.releases, self.evidence, self.lines, self.signers = Directory(), {}, set(), [], [], set()
        self.removable, self.removed = {}, set()

    def take(self, entry):
        body, kind = entry.body, entry.type.removesuffix("@1")
        need(entry.run in (None, self.run), f"#{entry.index} belongs to another run")
        if kind == "store.opened":
            need(entry.index == 0 and body["log"] == self.log, "the log has another name")
        elif kind == "proposal.decided":
            need(self.proposals.setdefault(body["proposal"], entry) is entry, "a proposal is there twice")
            self.propose(entry)
        elif kind in ("approval.decided", "approval.noted", "effect.started", "effect.settled"):
            asked = self.proposals[body["proposal"]]
            same = {name: body.get(name, asked.body[name]) for name in ("digest", "tool")}
            need((asked.run, asked.release, asked.body | same) == (entry.run, entry.release, asked.body),
                 f"#{entry.index} is about something else than was proposed")
            {"decided": self.decide, "noted": self.note}.get(kind[9:], self.effect)(entry, asked)
        elif kind == "content.redacted":
            target = (body["entry"], body["part"])
            need(target in self.removable.get(body["proposal"], ()), f"#{entry.index} removed what no approved proposal names")
            self.removed.add(target)
        else:
            need(kind in ("approval.refused", "allowance.ended"), f"#{entry.index} is of an unknown type")
        for event in body.get("events", []) if entry.run else []:
            if event["$"] == "run.started":
                need(event["run"] == self.run, "another run was started")
                self.requester, self.process = event["by"], event["process"]
            if event["$"] == "evidence.added":
                self.evidence.append(event["digest"])
                self.say(entry, f"evidence: {event['name']}, {event['media']}, sha256 {event['digest']}, from {event['by']}")

    def propose(self, entry):
        body, verdict = entry.body, entry.body["verdict"]
        entry.votes, entry.escalated, entry.grant, entry.until = [], [], None, body.get("expires")
        entry.passed = "done" if body["effect"] == "state" else "granted"
        entry.state = {"permit": entry.passed, "hold": "held", "forbid": "forbidden"}[verdict]
        if body.get("editor_counts"):
            self.vote(entry, entry, body["editor"], verdict == "permit")
        if entry.run is None:
            return self.change(entry, entry)
        need(entry.release in {None, *self.releases}, f"the release of #{entry.index} was not made before it")
        need((entry.definition is None) == (verdict == "forbid"), f"#{entry.index} has no definition, or one too many")
        if verdict != "forbid" and not {"arguments", "read"} & {*entry.withheld}:
            covered = {"arguments": sha(entry.content["arguments"]).hex(), "definition": entry.definition, "evidence": self.evidence,
                       "principal": entry.principal, "release": entry.release, "run": entry.run, "step": body.get("step"),
                       "tool": body["tool"]}
            texts = {name: canonical(value) for name, value in covered.items() if value}
            texts |= {"read": entry.words("read")} if "read" in entry.content else {}
            text = "{" + ",".join(f'"{name}":{texts[name]}' for name in sorted(texts)) + "}"
            need(sha(text.encode()).hex() == body["digest"], f"#{entry.index} has not the digest of what was proposed")
        rules = [f"{rule['effect']} by rule {rule['rule']}" + (f", which cites {rule['clause']}" if "clause" in rule else "")
                 for rule in body.get("rules", [])]
        self.say(entry, f"{entry.principal} proposed {body['tool']} at {body.get('step', 'no step')} {entry.words('arguments')}\n"
                        f"       {verdict}: {'; '.join(rules) or body.get('refusal')}")

    def decide(self, entry, asked):
        body, decision = entry.body, entry.body["decision"]
        need(asked.state in ("held", "granted"), f"#{entry.index} decides what does not wait")
        is_probe = "seal" in asked.withheld or b'"probe":true' in asked.content.get("seal", b"")
        need(not is_probe or decision != "supersede" and not body.get("complete"), f"#{entry.index} approves a probe")
        signed = self.signature(entry, asked) if "key" in body else "not signed"
        if decision == "approve":
            need(body["by"] == entry.principal, f"#{entry.index} is an approval in another name")
            self.vote(entry, asked, body, body["complete"])
        else:
            asked.state = decision
        place = f" for {body['for']}" if "for" in body else ""
        who = ", ".join([entry.principal + place, *self.directory.known(entry.principal).get("roles", [])])
        emergency = " in an emergency" if body.get("break_glass") else ""
        self.say(entry, f"{who}: {decision} of {asked.body['tool']}{emergency}, {signed}: {entry.words('reason')}")
        if entry.run is None:
            self.change(entry, asked)

    def vote(self, entry, asked, vote, complete):
        """Takes an approval by somebody who may give it, and looks whether it is enough where it is said to be."""
        asked.votes.append(vote)
        may = any(way(rule, vote, asked, entry.time) for rule in asked.body.get("requirements", []) for way in (self.counts, self.passes))
        need(may, f"#{entry.index} is an approval by {vote['by']}, who may not decide")
        if complete:
            need(self.enough(asked, entry.time), f"#{entry.index} has too few approvals")
            asked.state = asked.passed

    def stands(self, wanted, rule, vote, asked, time):
        """Whether somebody has what is wanted, and neither asked for it, nor proposed it, nor is excluded."""
        never = {asked.principal, self.requester if asked.run else None, *rule.get("not", [])}
        held = self.directory.held(vote, self.process if asked.run else None, time)
        return wanted & held and not never & {vote["by"], vote.get("for", vote["by"])}

    def counts(self, rule, vote, asked, time):
        wanted = {"role:" + name for name in rule.get("roles", [])} | {*rule.get("approvers", [])}
        wanted |= {to for note in asked.escalated for to in note["to"]
                   if (note["rule"], note.get("stage", 1)) == (rule["rule"], rule.get("stage", 1))}
        keys = [fingerprint(key) for key in self.directory.known(vote["by"]).get("keys", [])]
        return (not rule.get("signed") or vote.get("key") in keys) and self.stands(wanted, rule, vote, asked, time)

    def passes(self, rule, vote, asked, time):
        """Whether it is an approval in an emergency, for which the rule has a way."""
        glass = rule.get("break_glass", {}) if vote.get("break_glass") else {}
        return self.stands({"role:" + name for name in glass.get("roles", [])}, rule, vote, asked, time)

    def enough(self, asked, time):
        """Whether any requirements of a rule together have as many people as they ask for, in as many places."""
        rules = [rule for rule in asked.body.get("requirements", [])
                 if not any(self.passes(rule, vote, asked, time) for vote in asked.votes)]
        for some in itertools.chain.from_iterable(itertools.combinations(rules, count + 1) for count in range(len(rules))):
            votes = [vote for vote in asked.votes if any(self.counts(rule, vote, asked, time) for rule in some)]
            people = min(len({vote["by"] for vote in votes}), len({vote.get("for", vote["by"]) for vote in votes}))
            if len({rule["rule"] for rule in some}) == 1 and people < sum(rule["count"] for rule in some):
                return False
        return True

    def note(self, entry, asked):
        asked.escalated += [entry.body] if entry.body["note"] == "escalated" else []
        asked.until = entry.body.get("until", asked.until)
        self.say(entry, f"{entry.principal}: {entry.body['note']}, about {asked.body['tool']}")

    def effect(self, entry, asked):
        body = entry.body
        if entry.type == "effect.started@1":
            need(asked.state in ("granted", "in-doubt"), f"the effect of #{entry.index} was not permitted or approved")
            stands = (asked.until is None or entry.time <= asked.until) and self.enough(asked, entry.time)
            need(stands or not asked.votes, f"the approvals for the effect of #{entry.index} counted no more when it began")
            asked.state, asked.grant = "started", body["grant"]
        else:
            need(asked.state in ("started", "in-doubt") and body.get("grant", asked.grant) == asked.grant,
                 f"#{entry.index} settles an effect that did not begin")
            asked.state = body["outcome"]
            self.say(entry, f"effect: {body['tool']} {asked.state}, and returned {entry.words('result')}")

    def signature(self, entry, asked):
        """Checks that a key which the directory has for somebody signed exactly this approval."""
        key, by, step = entry.words("signer"), entry.principal, asked.body.get("step")
        need(key in self.directory.known(by).get("keys", []) and fingerprint(key) == entry.body["key"],
             f"#{entry.index} is not signed with a key that {by} had then")
        need(self.trusted is None or f"{by} {key}" in self.trusted, f"you do not trust the key of {by}")
        until = asked.until and moment(asked.until).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        lines = {"log": self.log, "run": entry.run or "none", "proposal": asked.body["proposal"], "digest": asked.body["digest"],
                 "decision": "approve", "by": by, "tool": asked.body["tool"], "effect": asked.body["effect"],
                 "for": entry.body.get("for"), "step": step, "until": until}
        words = [f"{name} {value}\n" for name, value in lines.items() if value is not None]
        statement = "".join(["remit approval statement v1\n", *words]).encode()
        need(entry.content["statement"] == statement, f"what was signed in #{entry.index} is not this approval")
        signers = f'signer namespaces="approval@remit" {key}\n'.encode()
        command = "ssh-keygen -Y verify -f {}/signers -I signer -n approval@remit -s {}/signature"
        need(run(command, stdin=statement, signers=signers, signature=entry.content["signature"]),
             f"the signature in #{entry.index} is not good")
        self.signers.add(f"{by} {key}")
        return f"signed with {entry.body['key']}"

    def change(self, entry, asked):
        """What a change of the workspace means, once it is permitted or approved."""
        tool, made = asked.body["tool"], entry.body.get("release")
        if asked.state == "done" and tool.startswith("directory."):
            changes = json.loads(entry.content["values"])
            if tool == "directory.set":
                nouns = {"people": "person", "roles": "role", "absences": "absence", "delegations": "delegation"}
                new, self.directory = changes | {"roles": [role["name"] for role in changes["roles"]]}, Directory()
                changes = [{"kind": one + ".put", one: thing} for many, one in nouns.items() for thing in new.get(many, [])]
            for change in changes:
                self.directory.change(change["kind"], change)
        elif asked.state == "done" and tool == "release.make":
            self.releases.add(made["digest"])
            self.say(entry, f"{asked.principal} made release {made['digest']} of {made['process']}")

        elif asked.state == "done" and tool == "content.redact":
            need(any(vote["by"] != asked.principal for vote in asked.votes), f"nobody else agreed to what #{entry.index} removes")
            targets, people = entry.body["redaction"]["targets"], ", ".join(vote["by"] for vote in asked.votes)
            self.removable[asked.body["proposal"]] = {(target["entry"], target["part"]) for target in targets}
            self.say(entry, f"redacted: {len(targets)} parts, proposed by {asked.principal}, approved by {people}, "
                            f"under {entry.body['redaction']['rule']}")

    def say(self, entry, words):
        words = "".join(c if c == "\n" or c.isprintable() else f"\\u{{{ord(c):x}}}" for c in words)
        self.lines.append(f"#{entry.index:<5} {moment(entry.time):%Y-%m-%d %H:%M:%S}  {words}")

def verify(data, kept=None, trusted=None):
    """The lines that say what a bundle proves; raises where it does not hold."""
    head, _, body = data.partition(b"\n")
    need(head == b"remit-bundle@1 " + sha(body).hex().encode(), "the bytes are not those that the first line names")
    bundle = strict(body, ["checkpoint", "entries", "evidence", "log", "run", "signers"], ["keys"])
    found = {piece["sha256"]: unbase64(shape(piece, ["base64", "sha256"])["base64"]) for piece in bundle["evidence"]}
    need(all(sha(piece).hex() == name for name, piece in found.items()), "evidence changed")
    text, origin, size, root, signatures = read_checkpoint(bundle["checkpoint"])
    need(kept is None or read_checkpoint(kept)[2:4] == (size, root), "the checkpoint is not the one that you kept")
    case, entries = Case(bundle["log"], bundle["run"], trusted), [Entry(item, size, root) for item in bundle["entries"]]
    keys = bundle.get("keys", [])
    need(len(keys) == len(signatures) and ("keys" in bundle) == bool(keys), "there are other signatures than keys")
    need(keys or origin == bundle["log"], "the checkpoint is of another log")
    for key, line in zip(keys, signatures):
        check_signature(text, key, line)
    logs = {line for line in trusted or [] if " " not in line and "+" in line}
    need(not logs or logs & {*keys}, "you do not trust the key of the checkpoint")
    need(entries and entries[0].type == "store.opened@1", "the first entry of the log is not here")
    need(all(a.index < b.index for a, b in zip(entries, entries[1:])), "the entries are not in their order")
    for entry in entries:
        case.take(entry)
    for entry in entries:
        need({(entry.index, name) for name in entry.withheld} <= case.removed, f"content of #{entry.index} is missing, and was not redacted")
    need(case.requester is not None, "the run is not here")
    need(bundle["signers"] == sorted(case.signers), "the list of signers is not that of the approvals")
    named = {(piece["sha256"], piece["size"]) for entry in entries for piece in entry.evidence}
    need([(piece["sha256"], len(found[piece["sha256"]])) for piece in bundle["evidence"]] == sorted(named), "other evidence than is named")
    for name in {entry.release for entry in entries if entry.run and entry.release}:
        need({*json.loads(found[name])["files"].values()} <= {*found}, "files of a release are missing")
    signer, withheld = ", ".join(key.split("+")[0] for key in keys), sum(len(entry.withheld) for entry in entries)
    return [f"Run {bundle['run']} of log {bundle['log']}; checkpoint of {size} entries, signed by {signer or 'nobody'}", *case.lines,
            f"Everything holds: {len(entries)} entries, {len(found)} pieces of evidence, {len(case.signers)} signers, "
            f"{withheld} parts withheld"]

def check(data, **options):
    """Whether a bundle holds, with what it says or why not; any mistake in its form is a reason."""
    try:
        return True, verify(data, **options)
    except (Bad, LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        return False, [str(error) if isinstance(error, Bad) else f"it is malformed: {type(error).__name__} {error}"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Checks a Remit bundle offline.")
    parser.add_argument("bundle")
    parser.add_argument("--checkpoint", help="a checkpoint that you kept: the bundle's has to be the same")
    parser.add_argument("--signers", help="whom you trust: `user:ben ssh-ed25519 AAAA…`, `name+id+key` for the log")
    options = parser.parse_args()
    kept = options.checkpoint and open(options.checkpoint, encoding="utf-8", newline="").read()
    trusted = options.signers and [" ".join(line.split()[:3]) for line in open(options.signers, encoding="utf-8")]
    holds, lines = check(open(options.bundle, "rb").read(), kept=kept, trusted=trusted)
    print("\n".join(lines if holds else ["DOES NOT HOLD: " + lines[0]]))
    sys.exit(0 if holds else 1)
