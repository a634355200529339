"""The pages of source code: the code's own lines, each block with its way back to the reference."""

from book.source import close_gaps

BODY = """<h1>Source code for gmcourse.flow</h1><pre>
import math


<div class="viewcode-block" id="Flow">
<a class="viewcode-back" href="../api.html#Flow">[docs]</a>
class Flow:
    origin = 0

<div class="viewcode-block" id="Flow.sample">
<a class="viewcode-back" href="../api.html#Flow.sample">[docs]</a>
    def sample(self): ...</div>
</div>



x = 1
</pre>"""
CODE = """<h1>Source code for gmcourse.flow</h1><pre>
import math


<div class="viewcode-block" id="Flow">class Flow:  <a class="viewcode-back" href="../api.html#Flow">[docs]</a>
    origin = 0

<div class="viewcode-block" id="Flow.sample">    def sample(self): ...  <a class="viewcode-back" \
href="../api.html#Flow.sample">[docs]</a></div></div>

x = 1
</pre>"""


def changed(pagename: str, body: str) -> str:
    context = {"body": body}
    close_gaps(None, pagename, "page.html", context, None)
    return context["body"]


def test_no_line_is_added_to_the_code():
    assert changed("_modules/gmcourse/flow", BODY) == f'<div class="gm-source">{CODE}</div>'


def test_the_list_of_modules_is_one_list():
    nested = "<h1>All</h1>\n<ul><li>a</li>\n<ul><li>a.b</li>\n</ul></ul>"
    assert changed("_modules/index", nested) == "<h1>All</h1>\n<ul><li>a</li>\n<li>a.b</li>\n</ul>"


def test_other_pages_stay_as_they_are():
    assert changed("api/flows", BODY) == BODY
