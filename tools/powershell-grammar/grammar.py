"""Prints what a grammar sees of a PowerShell script on standard input, as JSON:
the places that it cannot read, the commands with their parameters, the functions,
and the variables that are read before anything sets them.
"""

import json
import sys

import tree_sitter
import tree_sitter_powershell


def walk(node):
    yield node
    for child in node.children:
        yield from walk(child)


def main():
    source = sys.stdin.buffer.read()
    language = tree_sitter.Language(tree_sitter_powershell.language())
    root = tree_sitter.Parser(language).parse(source).root_node

    def text(node):
        return source[node.start_byte : node.end_byte].decode()

    seen = {"errors": [], "commands": [], "functions": [], "unset": []}
    known = set()
    for node in walk(root):
        if node.type == "ERROR" or node.is_missing:
            seen["errors"].append(f"{node.start_point[0] + 1}: {text(node)[:80]}")
        elif node.type == "command":
            names = [text(n) for n in node.children if n.type == "command_name"]
            parameters = [text(n) for e in node.children if e.type == "command_elements" for n in e.children if n.type == "command_parameter"]
            if names:
                seen["commands"].append({"name": names[0], "parameters": parameters})
        elif node.type == "function_name":
            seen["functions"].append(text(node))
        elif node.type == "left_assignment_expression":
            known.update(text(n).lower() for n in walk(node) if n.type == "variable")
        elif node.type == "script_parameter":
            known.update(text(n).lower() for n in node.children if n.type == "variable")
        elif node.type == "foreach_statement":
            known.update(text(n).lower() for n in node.children if n.type == "variable")
    for node in walk(root):
        if node.type in ("variable", "braced_variable"):
            name = text(node).lower().replace("{", "").replace("}", "")
            if name not in known and not name.startswith("$env:"):
                seen["unset"].append(text(node))
    json.dump(seen, sys.stdout)


main()
