import html
import html.parser
import xml.etree.ElementTree as ET
print(html.escape("<a href='x'>&"), html.unescape("&lt;&eacute;&#x27;"))


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.links = []

    def handle_starttag(self, tag, attrs):
        if tag == "a":
            self.links.append(dict(attrs).get("href"))


p = Links()
p.feed("<p>Hi <a href='/x'>x</a> <a href='/y'>y</a><br></p>")
print(p.links)
root = ET.fromstring("<r><i n='1'>a</i><i n='2'>b</i></r>")
print([(i.get("n"), i.text) for i in root.findall("i")], root.tag)
ET.SubElement(root, "z").text = "<"
print(ET.tostring(root, encoding="unicode"))
