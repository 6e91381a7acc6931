#!/usr/bin/env python3
"""Flips bits of a bundle and expects the stand-alone verifier to refuse every one: flip_sweep.py BUNDLE [--samples N]

Without --samples every bit of the file is flipped as it lies, and again with the digest in the first line made to fit. A bit
takes about 26 ms (2 cores, 130 kB), so all of them take some seven hours. Run it so before the bundle's format or the verifier is changed."""
import argparse, hashlib, random, sys

import remit_verify


def main():
    parser = argparse.ArgumentParser(description="Flips bits of a bundle.")
    parser.add_argument("bundle")
    parser.add_argument("--samples", type=int, help="this many bits, chosen by chance, instead of all")
    options = parser.parse_args()
    data = open(options.bundle, "rb").read()
    assert remit_verify.check(data)[0], remit_verify.check(data)[1]
    start = data.index(b"\n") + 1
    bits = range(8 * len(data))
    if options.samples:
        bits = random.Random(1).sample(bits, options.samples)
    missed = []
    for bit in bits:
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        if remit_verify.check(bytes(changed))[0]:
            missed.append(f"bit {bit % 8} of byte {bit // 8}, as it lies")
        if bit // 8 >= start:
            body = bytes(changed[start:])
            changed = b"remit-bundle@1 " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body
            if remit_verify.check(changed)[0]:
                missed.append(f"bit {bit % 8} of byte {bit // 8}, with its digest")
    print("\n".join(missed) or f"all {len(bits)} flips were refused")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
