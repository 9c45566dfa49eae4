"""Write the page of `dvc plots` with the scripts that draw its charts inside: `make page`.

DVC's own page fetches them from the network at each visit; with this one, which `.dvc/config`
names, the charts are there without one too. The scripts are Vega, Vega-Lite and Vega-Embed, as
`vl-convert-python` carries them.
"""

from pathlib import Path

TEMPLATE = Path(__file__).with_name("page.html")
PAGE = Path(__file__).parents[2] / ".dvc/plots/page.html"
VEGA_LITE = "5.20"  # of the generation that DVC's built-in templates are written for
LICENCE = """<!--
Vega, Vega-Lite and Vega-Embed: Copyright (c) University of Washington Interactive Data Lab and
contributors, BSD 3-Clause License. All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted
provided that the following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions
   and the following disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of
   conditions and the following disclaimer in the documentation and/or other materials provided
   with the distribution.
3. Neither the name of the copyright holder nor the names of its contributors may be used to
   endorse or promote products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR
IMPLIED WARRANTIES, INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND
FITNESS FOR A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR
CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL, SPECIAL, EXEMPLARY, OR CONSEQUENTIAL
DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE,
DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY, WHETHER
IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF
THE USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
-->"""


def page() -> str:
    """Put the scripts into the template; DVC puts in the plots."""
    import vl_convert

    scripts = vl_convert.javascript_bundle(vl_version=VEGA_LITE)
    # in a function, so that its names do not meet those of the page
    script = f"<script>(function () {{\n{scripts}\n}})();</script>"
    return TEMPLATE.read_text(encoding="utf-8").replace("{vega}", f"{LICENCE}\n{script}")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
