#!/usr/bin/env python3
"""Changes a bundle in every small way and expects the stand-alone verifier to refuse each: flip_sweep.py BUNDLE [--samples N]

Without --samples every bit of the file is flipped as it lies, and again with the digest in the first line made to fit. Every
content is also cut off at another place from its salt, and written in another form. The counts are printed."""
import argparse, base64, functools, hashlib, json, multiprocessing, random, sys

import remit_verify

# A signature or a proof that was checked once need not be checked again: a flip changes one of them at most.
run = functools.lru_cache(None)(lambda command, stdin, files: own_run(command, stdin, **dict(files)))
root = functools.lru_cache(None)(lambda leaf, index, size, proof: own_root(leaf, index, size, [*proof]))
own_run, own_root = remit_verify.run, remit_verify.root_of
remit_verify.run = lambda command, stdin=b"", **files: run(command, stdin, tuple(files.items()))
remit_verify.root_of = lambda leaf, index, size, proof: root(leaf, index, size, tuple(proof))


def fitting(body):
    """A bundle whose first line fits what it holds."""
    return b"remit-bundle@1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def flip(bit):
    """What of a flipped bit was not refused."""
    data = options.data
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    missed = [f"bit {bit % 8} of byte {bit // 8}, as it lies"] if remit_verify.check(bytes(changed))[0] else []
    start = data.index(b"\n") + 1
    if bit // 8 >= start and remit_verify.check(fitting(bytes(changed[start:])))[0]:
        missed.append(f"bit {bit % 8} of byte {bit // 8}, with its digest")
    return missed


def forms(data):
    """The bundle with each content in another form, and with bytes of it passed off as its salt's and the other way round."""
    text = data.partition(b"\n")[2]
    for number, entry in enumerate(json.loads(text)["entries"]):
        for place, part in enumerate(entry.get("content", [])):
            salt = base64.b64decode(part["salt"])
            content = part["text"].encode() if "text" in part else base64.b64decode(part["base64"])
            for length in (0, 15, 16, 17, 20, len(salt + content)):
                bundle = json.loads(text)
                moved, rest = (salt + content)[:length], (salt + content)[length:]
                for form, value in (("text", rest.decode(errors="ignore")), ("base64", base64.b64encode(rest).decode())):
                    changed = {"part": part["part"], "salt": base64.b64encode(moved).decode(), form: value}
                    if changed != part:
                        bundle["entries"][number]["content"][place] = changed
                        yield f"`{part['part']}` of #{number}, {length}, {form}", remit_verify.canonical(bundle).encode()


def main():
    data = options.data
    assert remit_verify.check(data)[0], remit_verify.check(data)[1]
    changed = [(name, remit_verify.check(fitting(body))[0]) for name, body in forms(data)]
    missed = [name for name, holds in changed if holds]
    bits = range(8 * len(data))
    if options.samples:
        bits = random.Random(1).sample(bits, options.samples)
    with multiprocessing.get_context("fork").Pool() as pool:
        for found in pool.imap_unordered(flip, bits, chunksize=64):
            missed += found
    print("\n".join(missed) or f"all {len(bits)} flips were refused, and all {len(changed)} other forms")
    return 1 if missed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Changes a bundle in every small way.")
    parser.add_argument("bundle")
    parser.add_argument("--samples", type=int, help="this many bits, chosen by chance, instead of all")
    options = parser.parse_args()
    options.data = open(options.bundle, "rb").read()
    sys.exit(main())
