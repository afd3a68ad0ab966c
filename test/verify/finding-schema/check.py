"""check.py SCHEMA LINES... - checks JSON lines against a schema: as much of JSON Schema 2020-12 as
doc/finding.schema.json uses, and any keyword that this does not know is an error."""
import json
import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "null": type(None), "boolean": bool}
IGNORED = {"$schema", "$id", "title", "description", "$defs"}


def is_type(value, name):
    if name in ("number", "integer"):
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and (name == "number" or value == int(value))
    return isinstance(value, TYPES[name])


def check(value, schema, root, at):
    """The first thing wrong, as words, or None."""
    for keyword, wanted in schema.items():
        wrong = None
        if keyword in IGNORED:
            continue
        if keyword == "$ref":
            target = root
            for key in wanted.removeprefix("#/").split("/"):
                target = target[key]
            wrong = check(value, target, root, at)
        elif keyword == "oneOf":
            reasons = [check(value, s, root, at) for s in wanted]
            if reasons.count(None) != 1:
                wrong = reasons[0] or f"{at}: more than one form"
        elif keyword == "type":
            names = wanted if isinstance(wanted, list) else [wanted]
            if not any(is_type(value, n) for n in names):
                wrong = f"{at}: not of type {wanted}"
        elif keyword == "enum":
            if value not in wanted:
                wrong = f"{at}: {value!r} is none of the values"
        elif keyword == "pattern":
            if isinstance(value, str) and not re.search(wanted, value):
                wrong = f"{at}: does not fit {wanted[:20]}..."
        elif keyword == "minimum":
            if value < wanted:
                wrong = f"{at}: under {wanted}"
        elif keyword == "required":
            missing = [k for k in wanted if k not in value]
            if missing:
                wrong = f"{at}: no {missing[0]}"
        elif keyword == "properties":
            for key, inner in wanted.items():
                if key in value:
                    wrong = wrong or check(value[key], inner, root, f"{at}.{key}")
        elif keyword == "additionalProperties":
            further = [k for k in value if k not in schema.get("properties", {})]
            if wanted is False and further:
                wrong = f"{at}: {further[0]} is not foreseen"
            for key in further if isinstance(wanted, dict) else []:
                wrong = wrong or check(value[key], wanted, root, f"{at}.{key}")
        elif keyword == "items":
            for i, item in enumerate(value):
                wrong = wrong or check(item, wanted, root, f"{at}[{i}]")
        else:
            wrong = f"the schema uses {keyword}, which is not known here"
        if wrong:
            return wrong
    return None


def unique(pairs):
    keys = [k for k, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("a member stands twice")
    return dict(pairs)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    seen = 0
    for path in sys.argv[2:3]:
        with open(path, encoding="utf-8") as file:
            for line in file:
                seen += 1
                wrong = check(json.loads(line, object_pairs_hook=unique), schema, schema, "finding")
                if wrong:
                    sys.exit(wrong)
    if seen == 0:
        sys.exit("no lines")


main()
