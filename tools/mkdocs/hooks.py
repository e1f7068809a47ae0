"""What the site needs beside its generator: folders in the navigation, links
that leave the folder of one language, and the way to the other language."""

import logging
import os
import posixpath
import re

log = logging.getLogger("mkdocs.hooks.datakit")

DOCS = os.path.normpath(os.path.join(os.path.dirname(__file__), "..", "..", "docs"))
# An example, a link (whose text may have code in it) or a piece of code: whichever
# begins first.
PIECE = re.compile(
    r"^```.*?^```$|\[(?P<text>(?:[^\[\]]|\[[^\[\]]*\])*)\]\((?P<to>[^)\s#]*)(?P<anchor>#[^)\s]*)?\)|`[^`\n]*`",
    re.M | re.S,
)
MARK = "outside:"  # a scheme, so that the generator leaves the link to us


def on_config(config):
    """Expand each `folder/` of the navigation to its pages, README first, and put
    those that the navigation does not name behind it: it is an order, and no
    list of what there is that a new page could miss."""
    nav = expand(config.nav, config.docs_dir)
    named = set(leaves(nav))
    rest = [n for n in markdown(config.docs_dir, "") if n not in named]
    config.nav = nav + ([{config.extra["more"]: rest}] if rest else [])
    return config


def markdown(docs, folder):
    """The pages of a folder, README first."""
    names = [n for n in os.listdir(os.path.join(docs, folder)) if n.endswith(".md")]
    return [folder + n for n in sorted(names, key=lambda n: (n != "README.md", n))]


def expand(items, docs):
    out = []
    for item in items:
        if isinstance(item, dict):
            out += [{title: expand(below, docs)} for title, below in item.items()]
        elif item.endswith("/"):
            out += markdown(docs, item)
        else:
            out.append(item)
    return out


def leaves(items):
    for item in items:
        if isinstance(item, dict):
            for below in item.values():
                yield from leaves(below)
        else:
            yield item


def on_page_markdown(markdown, page, config, **_):
    """Take the links that lead out of this language's folder from the generator,
    which knows no file there."""
    return PIECE.sub(lambda m: outside(m, page, config), markdown)


def outside(match, page, config):
    text, to, anchor = match["text"], match["to"], match["anchor"] or ""
    if not to or "://" in to:
        return match.group(0)
    target = os.path.normpath(os.path.join(config.docs_dir, os.path.dirname(page.file.src_uri), to))
    here = os.path.relpath(target, config.docs_dir).replace(os.sep, "/")
    if here.endswith(".go"):
        return text  # the source is not part of the site
    if not here.startswith("..") and not (here.startswith("zh/") and config.docs_dir == DOCS) and not os.path.isdir(target):
        return match.group(0)
    if os.path.commonpath([target, DOCS]) != DOCS or os.path.isdir(target):
        return text  # of the source too; a test of package docs follows those links
    if not os.path.exists(target):
        log.warning("%s: there is no %s", page.file.src_uri, to)
    return f"[{text}]({MARK}{built(to)}{anchor})"


def built(path):
    """The page that a file becomes."""
    folder, name = posixpath.split(path)
    if name == "README.md":
        name = "index.md"
    return posixpath.join(folder, re.sub(r"\.md$", ".html", name))


def on_page_content(html, **_):
    html = re.sub(r'(href|src)="' + MARK, r'\1="', html)
    return "".join(p if p.startswith("<pre") else WRAPPED.sub("", p) for p in EXAMPLE.split(html))


EXAMPLE = re.compile(r"(<pre.*?</pre>)", re.S)
# The end of a line between two Chinese characters: a browser would show a space.
WRAPPED = re.compile("(?<=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])\n(?=[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef])")


def on_post_page(output, **_):
    return re.sub(r'href="?' + MARK + r'([^"\s>]*)"?', r'href="\1"', output)


def on_page_context(context, page, config, **_):
    """Let the choice of languages lead to the same page, where there is one."""
    name = page.file.src_uri
    chinese = os.path.join(DOCS, "zh", *name.split("/"))
    english = os.path.join(DOCS, *name.split("/"))
    if config.docs_dir == DOCS:
        en, zh = built(name), "zh/" + built(name if os.path.exists(chinese) else "README.md")
    else:
        en, zh = "../" + built(name if os.path.exists(english) else "README.md"), built(name)
    up = "../" * name.count("/")  # the theme's own way there knows no folder above
    config.extra["alternate"] = [
        {"name": "English", "link": MARK + up + en, "lang": "en"},
        {"name": "中文", "link": MARK + up + zh, "lang": "zh"},
    ]
    return context
