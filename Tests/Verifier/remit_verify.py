#!/usr/bin/env python3
"""Checks a Remit bundle offline, and says in plain words what it proves: remit_verify.py BUNDLE [--checkpoint FILE] [--signers FILE]

It shares no code with Remit; the section "Bundles" of the README describes what it relies on. It needs Python 3 and, where something is signed,
stock `ssh-keygen` and `openssl`. It exits with 0 only if everything holds."""
import argparse, base64, decimal, datetime, hashlib, json, re, subprocess, sys, tempfile

class Bad(Exception):
    """What does not hold."""

def need(holds, what):
    if not holds:
        raise Bad(what)

def sha(data):
    return hashlib.sha256(data).digest()

def b64(text):
    data = base64.b64decode(text, validate=True)
    need(base64.b64encode(data).decode() == text, "base64 that is written in another way")
    return data

def fingerprint(key):
    return "SHA256:" + base64.b64encode(sha(b64(key.split(" ")[1]))).decode().rstrip("=")

# Canonical JSON, RFC 8785: keys by UTF-16 code units, numbers as ECMAScript writes them.

def number(value):
    sign, digits, exponent = decimal.Decimal(repr(value)).normalize().as_tuple()
    digits, sign = "".join(map(str, digits)), "-" * sign
    point = len(digits) + exponent
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    return sign + digits[0] + ("." + digits[1:] if digits[1:] else "") + f"e{'+' if point > 0 else '-'}{abs(point - 1)}"

def canonical(value):
    if value is None or isinstance(value, (bool, str)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (int, float)):
        return "0" if value == 0 else number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    order = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return "{" + ",".join(canonical(key) + ":" + canonical(value[key]) for key in order) + "}"

def strict(data, what):
    value = json.loads(data.decode("utf-8"))
    need(canonical(value).encode("utf-8") == data, f"{what} is not canonical JSON")
    return value

def shape(value, required, optional=(), what="a part"):
    need(isinstance(value, dict) and set(required) <= set(value) <= {*required, *optional}, f"{what} has other members")
    return value

def runs(*arguments, stdin=b"", **files):
    """Whether a program says yes; the files lie in a folder of its own, named by `{}`."""
    with tempfile.TemporaryDirectory(prefix="remit-verify-") as folder:
        for name, data in files.items():
            with open(f"{folder}/{name}", "wb") as file:
                file.write(data)
        arguments = [argument.replace("{}", folder) for argument in arguments]
        environment = {"LC_ALL": "C", "PATH": "/usr/bin:/bin:/usr/local/bin"}
        return subprocess.run(arguments, input=stdin, capture_output=True, env=environment).returncode == 0

# The log: C2SP tlog-checkpoint and signed-note, proofs of RFC 6962.

def read_checkpoint(note):
    match = re.fullmatch(r"([^\s+]+)\n(0|[1-9]\d*)\n([A-Za-z0-9+/]{43}=)\n(?:\n((?:— [^\n]+\n)+))?", note)
    need(match, "the checkpoint is not written as C2SP tlog-checkpoint says")
    return match[1], int(match[2]), b64(match[3]), (match[4] or "").split("\n")[:-1]

def check_note(note, lines, keys):
    need(len(lines) == len(keys), "the checkpoint has other signatures than keys")
    for line, key in zip(lines, keys):
        (name, key_id, public), (dash, signer, blob) = key.split("+", 2), line.split(" ")
        public, blob = b64(public), b64(blob)
        need(public[0] == 1 and len(public) == 33 and dash == "—" and signer == name, "the key of the checkpoint is another one")
        expected = sha(name.encode() + b"\n" + public)[:4]
        need(key_id == expected.hex() and blob[:4] == expected, "the key of the checkpoint has another id")
        der = base64.b64encode(bytes.fromhex("302a300506032b6570032100") + public[1:])  # RFC 8410, section 4
        pem = b"-----BEGIN PUBLIC KEY-----\n" + der + b"\n-----END PUBLIC KEY-----\n"
        command = "openssl pkeyutl -verify -pubin -inkey {}/key -rawin -in {}/text -sigfile {}/sig".split()
        need(runs(*command, text=note[: note.index("\n\n") + 1].encode(), key=pem, sig=blob[4:]),
             "the signature of the checkpoint is not good")

def root_of(leaf, index, size, proof):
    need(0 <= index < size, "an entry lies beyond the checkpoint")
    node, last = index, size - 1
    for sibling in proof:
        need(last > 0, "a proof is too long")
        if node & 1 or node == last:
            leaf = sha(b"\x01" + sibling + leaf)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            leaf = sha(b"\x01" + leaf + sibling)
        node, last = node >> 1, last >> 1
    need(last == 0, "a proof is too short")
    return leaf

class Entry:
    """An entry whose form, content and place in the log hold."""

    def __init__(self, item, size, root):
        shape(item, ["envelope", "proof"], ["content", "definition"], "an entry")
        data = item["envelope"].encode("utf-8")
        envelope = shape(strict(data, "an envelope"), ["body", "index", "principal", "time", "type"],
                         ["commitments", "evidence", "release", "run"], "an envelope")
        self.index, self.body, self.type, self.time = (envelope[name] for name in ("index", "body", "type", "time"))
        self.principal, self.run, self.release = envelope["principal"], envelope.get("run"), envelope.get("release")
        self.evidence, self.definition, self.content = envelope.get("evidence", []), item.get("definition"), {}
        proof = [bytes.fromhex(text) for text in item["proof"]]
        need([one.hex() for one in proof] == item["proof"] and all(len(one) == 32 for one in proof), "a proof is not of digests")
        need(root_of(sha(b"\x00" + data), self.index, size, proof) == root, f"entry {self.index} is not proven to be in the log")
        commitments, parts = envelope.get("commitments", {}), item.get("content", [])
        need([part["part"] for part in parts] == list(commitments) and ("content" in item) == bool(commitments),
             f"entry {self.index} has other content parts than its envelope names")
        self.withheld = sum("withheld" in part for part in parts)
        for part in parts:
            if "withheld" in part:
                need(shape(part, ["part", "withheld"])["withheld"] is True, "a part is neither here nor withheld")
                continue
            form = "text" if "text" in part else "base64"
            salt, data = b64(shape(part, ["part", "salt", form])["salt"]), part[form].encode("utf-8") if form == "text" else b64(part[form])
            need(len(salt) == 16 and sha(salt + data).hex() == commitments[part["part"]],
                 f"part `{part['part']}` of entry {self.index} is not what it commits to")
            self.content[part["part"]] = data

    def words(self, part):
        return self.content.get(part, b"(none)").decode("utf-8", "replace")

# What the entries mean.

class Case:
    def __init__(self, log, run, trusted):
        self.log, self.run, self.trusted, self.lines, self.signers, self.requester = log, run, trusted, [], set(), None
        self.keys, self.roles, self.proposals, self.releases, self.evidence = {}, {}, {}, {}, []

    def take(self, entry):
        kind, body, at = entry.type, entry.body, f"entry {entry.index}"
        need(entry.run in (None, self.run), f"{at} belongs to another run")
        if kind == "store.opened@1":
            need(entry.index == 0 and body["log"] == self.log, "the log has another name")
        elif kind == "proposal.decided@1":
            self.propose(entry, at)
        elif kind in ("approval.decided@1", "approval.noted@1", "effect.started@1", "effect.settled@1"):
            need(body["proposal"] in self.proposals, f"{at} is about a proposal that is not here")
            offer = self.proposals[body["proposal"]]
            need((offer["entry"].run, offer["entry"].release) == (entry.run, entry.release), f"{at} is about another run or release")
            {"d": self.decide, "n": self.note}.get(kind[9], self.effect)(entry, offer, at)
        else:
            need(kind in ("approval.refused@1", "allowance.ended@1"), f"{at} is of an unknown type")
        for event in body.get("events", []) if entry.run else []:
            if event["$"] == "evidence.added":
                self.evidence.append(event["digest"])
                self.say(entry, f"evidence: {event['name']}, {event['media']}, sha256 {event['digest']}, from {event['by']}")
            if event["$"] == "run.started":
                need(event["run"] == self.run, "another run was started")
                self.requester = event["by"]

    def propose(self, entry, at):
        body, verdict = entry.body, entry.body["verdict"]
        need(body["proposal"] not in self.proposals, "a proposal is there twice")
        state = {"permit": "done" if body["effect"] == "state" else "granted", "hold": "held", "forbid": "forbidden"}[verdict]
        votes = [(body["editor"]["by"], body["editor"].get("for", body["editor"]["by"]), False, False)] if body.get("editor_counts") else []
        offer = self.proposals[body["proposal"]] = {"entry": entry, "state": state, "votes": votes, "grant": None, "until": body.get("expires")}
        need((entry.definition is not None) == (entry.run is not None and verdict != "forbid"), f"{at} has no definition, or one too many")
        if entry.run is None and state == "done":
            self.change(offer, entry)
        if entry.run is None:
            return
        need(entry.release is None or entry.release in self.releases, f"the release of {at} was not made before it")
        if entry.definition is not None and not entry.withheld:
            covered = {"arguments": sha(entry.content["arguments"]).hex(), "definition": entry.definition, "evidence": self.evidence,
                       "principal": entry.principal, "read": json.loads(entry.content.get("read", b"null")), "release": entry.release,
                       "run": entry.run, "step": body.get("step"), "tool": body["tool"]}
            covered = {name: value for name, value in covered.items() if value}
            need(sha(canonical(covered).encode()).hex() == body["digest"], f"the digest of {at} is not that of what was proposed")
        rules = "; ".join(f"{rule['effect']} by rule {rule['rule']}" + (f", which cites {rule['clause']}" if "clause" in rule else "")
                          for rule in body.get("rules", [])) or body.get("refusal", "no rule")
        self.say(entry, f"{entry.principal} proposed {body['tool']} at {body.get('step', 'no step')} {entry.words('arguments')}\n"
                        f"       {verdict}: {rules}")

    def decide(self, entry, offer, at):
        body, asked = entry.body, offer["entry"].body
        need(offer["state"] in ("held", "granted"), f"{at} decides what does not wait")
        need(body["digest"] == asked["digest"], f"{at} decides on another digest than the proposal's")
        signed = ("signature" in entry.content or "key" in body) and self.signature(entry, offer, at)
        offer["state"] = body["decision"] if body["decision"] != "approve" else offer["state"]
        if body["decision"] == "approve":
            need(entry.principal not in (offer["entry"].principal, entry.run and self.requester), f"{at} is an approval by who asked")
            offer["votes"].append((entry.principal, body.get("for", entry.principal), signed, body.get("break_glass", False)))
        if body["decision"] == "approve" and body["complete"]:
            need(not json.loads(offer["entry"].content.get("seal", b'{"probe":false}'))["probe"], f"{at} approves a probe")
            rules, emergency = asked.get("requirements", []), any(vote[3] for vote in offer["votes"])
            rules = [rule for rule in rules if not (emergency and "break_glass" in rule)]
            for rule in rules:
                votes = [vote for vote in offer["votes"] if vote[2] or not rule.get("signed")]
                count = sum(other["count"] for other in rules if other["rule"] == rule["rule"])
                need(min(len({vote[0] for vote in votes}), len({vote[1] for vote in votes})) >= count, f"{at} has too few for {rule['rule']}")
            offer["state"] = "done" if asked["effect"] == "state" else "granted"
            if entry.run is None and offer["state"] == "done":
                self.change(offer, entry)
        who = entry.principal + (f" for {body['for']}" if "for" in body else "") + "".join(f", {role}" for role in self.roles.get(entry.principal, []))
        self.say(entry, f"{who}: {body['decision']} of {asked['tool']}" + (" in an emergency" if body.get("break_glass") else "")
                 + (f", signed with {body['key']}" if signed else ", not signed") + (f": {entry.words('reason')}" if "reason" in entry.content else ""))

    def note(self, entry, offer, at):
        need(entry.body["digest"] == offer["entry"].body["digest"], f"{at} is about another digest than the proposal's")
        offer["until"] = entry.body["until"] if entry.body["note"] == "extended" else offer["until"]
        self.say(entry, f"{entry.principal}: {entry.body['note']}, about {offer['entry'].body['tool']}")

    def effect(self, entry, offer, at):
        body, tool = entry.body, offer["entry"].body["tool"]
        need(body["tool"] == tool, f"{at} is about another tool")
        if entry.type == "effect.started@1":
            need(offer["state"] in ("granted", "in-doubt"), f"the effect of {at} began without a permit or approval")
            offer.update(state="started", grant=body["grant"])
            return
        need(offer["state"] in ("started", "in-doubt"), f"{at} settles an effect that did not begin")
        need(body.get("grant", offer["grant"]) == offer["grant"], f"{at} settles another attempt")
        offer["state"] = body["outcome"]
        self.say(entry, f"effect: {tool} {body['outcome']}, and returned {entry.words('result')}")

    def signature(self, entry, offer, at):
        key, asked = entry.content["signer"].decode(), offer["entry"].body
        need(key in self.keys.get(entry.principal, []) and fingerprint(key) == entry.body["key"], f"{at}: no key of {entry.principal} then")
        need(self.trusted is None or f"{entry.principal} {key}" in self.trusted, f"you do not trust the key of {entry.principal}")
        lines = ["remit approval statement v1", f"log {self.log}", f"run {entry.run or 'none'}", f"proposal {asked['proposal']}",
                 f"digest {asked['digest']}", "decision approve", f"by {entry.principal}", f"tool {asked['tool']}", f"effect {asked['effect']}"]
        lines += [f"for {entry.body['for']}"] if entry.body.get("for", entry.principal) != entry.principal else []
        lines += [f"step {asked['step']}"] if "step" in asked else []
        lines += [f"until {moment(offer['until']).isoformat(timespec='milliseconds')}Z"] if offer["until"] is not None else []
        statement = "".join(line + "\n" for line in lines).encode()
        need(entry.content["statement"] == statement, f"what was signed in {at} is not this approval")
        command = "ssh-keygen -Y verify -f {}/signers -I signer -n approval@remit -s {}/sig".split()
        allowed = f'signer namespaces="approval@remit" {key}\n'.encode()
        need(runs(*command, stdin=statement, signers=allowed, sig=entry.content["signature"]), f"the signature in {at} is not good")
        self.signers.add(f"{entry.principal} {key}")
        return True

    def change(self, offer, entry):
        """What a change of the workspace means for keys, roles and releases."""
        tool, values = offer["entry"].body["tool"], json.loads(entry.content.get("values", b"[]"))
        if tool == "directory.set":
            self.keys, self.roles, values = {}, {}, [{"kind": "person.put", "person": person} for person in values["people"]]
        for change in values if tool.startswith("directory.") else []:
            kind, person = change["kind"], change.get("person")
            who = "user:" + (person["id"] if isinstance(person, dict) else str(person))
            if kind == "person.put":
                self.keys[who], self.roles[who] = person.get("keys", []), person["roles"]
            elif kind == "person.leave":
                self.keys[who] = self.roles[who] = []
            elif kind == "key.add":
                self.keys[who] = self.keys.get(who, []) + [change["key"]]
            elif kind == "key.remove":
                self.keys[who] = [key for key in self.keys.get(who, []) if fingerprint(key) != change["fingerprint"]]
        if tool == "release.make":
            self.releases[entry.body["release"]["digest"]] = entry
            self.say(entry, f"{offer['entry'].principal} made release {entry.body['release']['digest']} of {entry.body['release']['process']}")

    def say(self, entry, words):
        words = "".join(c if c == "\n" or c.isprintable() else f"\\u{{{ord(c):x}}}" for c in words)
        self.lines.append(f"#{entry.index:<5} {moment(entry.time).isoformat(' ', 'seconds')}  {words}")

def moment(milliseconds):
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=milliseconds)

def verify(data, kept=None, trusted=None):
    """The lines that say what a bundle proves; raises where it does not hold."""
    head, _, body = data.partition(b"\n")
    need(head == b"remit-bundle@1 " + sha(body).hex().encode(), "the bytes are not those that the first line names")
    bundle = shape(strict(body, "the bundle"), ["checkpoint", "entries", "evidence", "log", "run", "signers"], ["keys"], "the bundle")
    origin, size, root, signatures = read_checkpoint(bundle["checkpoint"])
    need(kept is None or read_checkpoint(kept)[1:3] == (size, root), "the checkpoint is not the one that you kept")
    need(("keys" in bundle) == bool(signatures) and (signatures or origin == bundle["log"]), "the checkpoint is of another log")
    check_note(bundle["checkpoint"], signatures, bundle.get("keys", []))
    logs = {line for line in trusted or [] if " " not in line and "+" in line}
    need(not logs or logs & set(bundle.get("keys", [])), "you do not trust the key of the checkpoint")
    case, entries = Case(bundle["log"], bundle["run"], trusted), [Entry(item, size, root) for item in bundle["entries"]]
    need(entries and entries[0].type == "store.opened@1", "the first entry of the log is not here")
    need(all(a.index < b.index for a, b in zip(entries, entries[1:])), "the entries are not in their order")
    for entry in entries:
        case.take(entry)
    need(case.requester is not None, "the run is not here")
    need(bundle["signers"] == sorted(case.signers), "the list of signers is not that of the approvals")
    pieces = [shape(piece, ["base64", "sha256"], what="a piece of evidence") for piece in bundle["evidence"]]
    evidence, named = {piece["sha256"]: b64(piece["base64"]) for piece in pieces}, {}
    for piece in (piece for entry in entries for piece in entry.evidence):
        named[piece["sha256"]] = piece["size"]
    need([piece["sha256"] for piece in pieces] == sorted(named), "there is other evidence than the entries name")
    need(all(sha(data).hex() == digest and len(data) == named[digest] for digest, data in evidence.items()), "evidence is not what it is said to be")
    for digest in {entry.release for entry in entries if entry.run and entry.release}:
        need(digest in evidence and set(json.loads(evidence[digest])["files"].values()) <= set(evidence), "files of a release are missing")
    signer, withheld = ", ".join(key.split("+")[0] for key in bundle.get("keys", [])) or "nobody", sum(entry.withheld for entry in entries)
    return [f"Run {bundle['run']} of log {bundle['log']}; checkpoint of {size} entries, signed by {signer}", *case.lines,
            f"Everything holds: {len(entries)} entries, {len(evidence)} pieces of evidence, {len(case.signers)} signers, {withheld} parts withheld"]

def check(data, **options):
    """Whether a bundle holds, with what it says or why not; any mistake in its form is a reason."""
    try:
        return True, verify(data, **options)
    except Bad as bad:
        return False, [str(bad)]
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        return False, [f"the bundle is malformed: {type(error).__name__} {error}"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Checks a Remit bundle offline.")
    parser.add_argument("bundle")
    parser.add_argument("--checkpoint", help="a checkpoint that you kept: the bundle's has to be the same")
    parser.add_argument("--signers", help="whom you trust: lines `user:ben ssh-ed25519 AAAA…`, and `name+id+key` for the log's key")
    options = parser.parse_args()
    kept = open(options.checkpoint, encoding="utf-8", newline="").read() if options.checkpoint else None
    trusted = [" ".join(line.split()[:3]) for line in open(options.signers, encoding="utf-8")] if options.signers else None
    holds, lines = check(open(options.bundle, "rb").read(), kept=kept, trusted=trusted)
    print("\n".join(lines if holds else ["DOES NOT HOLD: " + lines[0]]))
    sys.exit(0 if holds else 1)
