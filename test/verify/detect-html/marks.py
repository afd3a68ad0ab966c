"""marks.py PAGE - each finding's matched values as a person sees them, with [what is marked]."""
import html.parser
import sys


class Marks(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.inside, self.name, self.text = False, "", ""

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "article":
            print(attributes["id"], attributes.get("data-h"), attributes.get("data-u"))
        elif tag == "dl":
            self.inside = attributes["class"].split()[0] == "m" or self.inside and attributes["class"] == "e"
        elif tag in ("dt", "dd"):
            self.text = ""
        elif tag == "mark":
            self.text += "["
        elif tag == "i":
            self.text += "{"

    def handle_endtag(self, tag):
        if tag == "mark":
            self.text += "]"
        elif tag == "i":
            self.text += "}"
        elif tag == "dt":
            self.name = self.text
        elif tag == "dd" and self.inside:
            for line, part in enumerate(self.text.split("\n")):
                print(f"    {'|' if line else self.name + ':'} {part if len(part) < 300 else part[:140] + ' ... ' + part[-140:]}")
        elif tag == "dl":
            self.inside = False

    def handle_data(self, data):
        self.text += data


Marks().feed(open(sys.argv[1], encoding="utf-8").read())
