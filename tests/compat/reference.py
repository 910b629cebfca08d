# SPDX-License-Identifier: Apache-2.0
"""What docker 20.10 answered, kept in reference.json: {line: {code, out, err}} in the order of the table."""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, "reference.json")


def load():
    try:
        with open(FILE, encoding="utf-8") as f:
            return json.load(f)
    except FileNotFoundError:
        return {}


def save(answers, cases):
    """Only what the table has, in its order: lines that left the table leave the file."""
    kept = {c.key: answers[c.key] for c in cases if c.key in answers}
    with open(FILE, "w", encoding="utf-8") as f:
        json.dump(kept, f, indent=1, ensure_ascii=False)
        f.write("\n")
