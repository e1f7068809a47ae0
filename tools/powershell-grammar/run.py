"""Runs the script that is named, as far as it keeps to the part of PowerShell that
install.ps1 is written in: strings, functions, if, switch, foreach, try, throw, and
the few commands and .NET calls below. What is beyond that part ends it, so that
nothing passes by being left out. It stands in for PowerShell itself, which no
package source has that every machine reaches: it shows what the script decides, not
what Windows makes of it.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
import uuid
import zipfile

import tree_sitter
import tree_sitter_powershell


class Thrown(Exception):
    """What throw throws, and what a command that fails does."""


class Return(Exception):
    pass


class Break(Exception):
    pass


class Script:
    def __init__(self, source):
        self.source = source
        self.functions = {}
        self.scopes = [{"null": None, "lastexitcode": 0, "true": True, "false": False}]

    def text(self, node):
        return self.source[node.start_byte : node.end_byte].decode()

    def beyond(self, node):
        raise NotImplementedError(f"{node.start_point[0] + 1}: {node.type}: {self.text(node)[:60]}")

    # Variables.

    def name(self, node):
        return self.text(node).lstrip("$").strip("{}").lower()

    def get(self, node):
        name = self.name(node)
        if name.startswith("env:"):
            return os.environ.get(self.text(node)[5:].strip("}"))
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        raise Thrown(f"The variable '${name}' cannot be retrieved because it has not been set.")

    def set(self, name, value):
        self.scopes[-1][name] = value

    # Statements.

    def block(self, node):
        """Runs what is in a block and returns what that puts out."""
        out = []
        for child in node.named_children:
            if child.type in ("statement_list", "script_block", "script_block_body", "statement_block"):
                out += self.block(child)
            elif child.type not in ("comment", "empty_statement"):
                out += self.statement(child)
        return out

    def statement(self, node):
        run = getattr(self, "do_" + node.type, None)
        if run is None:
            self.beyond(node)
        return run(node) or []

    def do_pipeline(self, node):
        if node.named_children[0].type == "assignment_expression":
            return self.assign(node.named_children[0])
        value = self.value(node)
        return [] if value is None else [value]

    def assign(self, node):
        left, _, right = [c for c in node.named_children if c.type != "comment"]
        value = self.value(right)
        target = self.inner(left)
        if target.type == "variable":
            self.set(self.name(target), value)
        elif target.type == "member_access":  # of [Net.ServicePointManager]
            self.scopes[0][self.text(target).lower()] = value
        else:
            names = [n for n in self.walk(left) if n.type == "variable"]
            for i, n in enumerate(names):
                self.set(self.name(n), value[i] if i < len(value) else None)

    def do_function_statement(self, node):
        parameters = [self.name(n) for p in self.walk(node) if p.type == "script_parameter" for n in p.children if n.type == "variable"]
        body = next(c for c in node.named_children if c.type == "script_block")
        self.functions[self.text(next(c for c in node.children if c.type == "function_name")).lower()] = (parameters, body)

    def do_flow_control_statement(self, node):
        word, rest = node.children[0].type, node.named_children
        if word == "return":
            raise Return(self.value(rest[0]) if rest else None)
        if word == "throw":
            raise Thrown(str(self.value(rest[0])))
        if word == "exit":
            sys.stdout.flush()
            sys.exit(self.value(rest[0]))
        if word == "break":
            raise Break()
        self.beyond(node)

    def do_if_statement(self, node):
        condition, body, *more = [c for c in node.named_children if c.type != "comment"]
        if more:
            self.beyond(node)
        return self.block(body) if self.truth(self.value(condition)) else []

    def do_switch_statement(self, node):
        value = self.value(next(n for n in self.walk(node) if n.type == "switch_condition").named_children[0])
        for clause in [n for n in self.walk(node) if n.type == "switch_clause"]:
            label, body = clause.named_children
            if self.same(value, self.value(label)):
                return self.block(body)
        return []

    def do_foreach_statement(self, node):
        variable, items, body = node.named_children
        out = []
        try:
            for item in self.value(items):
                self.set(self.name(variable), item)
                out += self.block(body)
        except Break:
            pass
        return out

    def do_try_statement(self, node):
        parts = {c.type: c for c in node.named_children if c.type != "comment"}
        try:
            return self.block(parts["statement_block"])
        except Thrown as error:
            if "catch_clauses" not in parts:
                raise
            self.set("_", {"exception": {"message": str(error)}})
            clause = parts["catch_clauses"].named_children[0]
            return self.block(next(c for c in clause.named_children if c.type == "statement_block"))
        finally:
            if "finally_clause" in parts:
                self.block(parts["finally_clause"])

    # Expressions.

    def walk(self, node):
        yield node
        for child in node.children:
            yield from self.walk(child)

    def inner(self, node):
        """Leaves the levels of the grammar that hold one thing."""
        while node.type != "variable":
            below = [c for c in node.children if c.type != "comment"]
            if len(below) != 1 or not below[0].is_named or (below[0].start_byte, below[0].end_byte) != (node.start_byte, node.end_byte) and node.type != "pipeline":
                return node
            if node.type == "command":
                return node
            node = below[0]
        return node

    def value(self, node):
        node = self.inner(node)
        find = getattr(self, "of_" + node.type, None)
        if find is None:
            self.beyond(node)
        return find(node)

    def of_variable(self, node):
        return self.get(node)

    def of_decimal_integer_literal(self, node):
        return int(self.text(node))

    def of_real_literal(self, node):
        return float(self.text(node))

    def of_generic_token(self, node):
        return self.text(node)

    def of_verbatim_string_characters(self, node):
        return self.text(node)[1:-1].replace("''", "'")

    def of_expandable_string_literal(self, node):
        out, at = "", node.start_byte + 1
        for child in node.children:
            if child.type in ("variable", "sub_expression"):
                value = self.value(child)
                out += self.plain(at, child.start_byte) + ("" if value is None else str(value))
                at = child.end_byte
        return out + self.plain(at, node.end_byte - 1)

    def plain(self, start, end):
        return re.sub(r"`(.)", lambda m: "\n" if m[1] == "n" else m[1], self.source[start:end].decode())

    def of_sub_expression(self, node):
        return self.value(node.named_children[0].named_children[0])

    def of_parenthesized_expression(self, node):
        return self.value(node.named_children[0])

    def of_array_expression(self, node):
        return self.value(node.named_children[0].named_children[0])

    def of_array_literal_expression(self, node):
        return [self.value(c) for c in node.named_children]

    def of_expression_with_unary_operator(self, node):
        operator, operand = node.children[0].type, node.named_children[-1]
        if operator == "-not":
            return not self.truth(self.value(operand))
        return self.value(operand)

    def of_cast_expression(self, node):
        if self.text(node).startswith("[void]"):
            self.value(node.named_children[-1])
            return None
        self.beyond(node)

    def of_logical_expression(self, node):
        left, operator, right = node.children
        if operator.type != "-and":
            self.beyond(node)
        return self.truth(self.value(left)) and self.truth(self.value(right))

    def of_bitwise_expression(self, node):
        left, _, right = node.children
        return f"{self.value(left)} -bor {self.value(right)}"

    def of_comparison_expression(self, node):
        left, operator, right = node.children
        a, b = self.value(left), self.value(right)
        word = self.text(operator)
        if word == "-eq":
            return self.same(a, b)
        if word == "-ne":
            return not self.same(a, b)
        if word == "-contains":
            return any(self.same(x, b) for x in a)
        if word == "-split":
            return re.split(b[0], a, maxsplit=b[1] - 1)
        self.beyond(node)

    def same(self, a, b):
        """PowerShell compares texts without their case."""
        return a.lower() == b.lower() if isinstance(a, str) and isinstance(b, str) else a == b

    def truth(self, value):
        return bool(value)

    def of_type_literal(self, node):
        return self.text(node)

    def of_member_access(self, node):
        target, name = self.value(node.named_children[0]), self.text(node.named_children[-1])
        if isinstance(target, dict):
            return target[name.lower()]
        return self.scopes[0].get(self.text(node).lower(), f"{target}{name}")

    def of_invokation_expression(self, node):
        target, member, arguments = node.named_children[0], node.named_children[1], node.named_children[-1]
        given = [self.value(a) for e in arguments.named_children for a in (e.named_children if e.type == "argument_expression_list" else [e])]
        on, name = self.value(target), self.text(member).lower()
        call = DOTNET.get((on.lower() if on is not None and str(on).startswith("[") else "", name))
        if call is None:
            self.beyond(node)
        return call(*given) if str(on).startswith("[") else call(on, *given)

    def of_argument_expression(self, node):
        return self.value(node.named_children[0])

    # Commands.

    def of_command(self, node):
        named = [c for c in node.named_children if c.type in ("command_name", "command_name_expr")]
        first = self.inner(named[0])
        name = self.get(first) if first.type == "variable" else self.text(first)
        positional, options, waiting = [], {}, None
        for part in [p for e in node.named_children if e.type == "command_elements" for p in e.named_children]:
            if part.type == "command_parameter" and self.text(node).startswith("&"):
                positional.append(self.text(part))
            elif part.type == "command_parameter":
                waiting = self.text(part).lower()
                options[waiting] = True
            elif part.type not in ("command_argument_sep", "comment"):
                value = self.value(part)
                if waiting in TAKES:
                    options[waiting], waiting = value, None
                else:
                    positional.append(value)
        if name.lower() in self.functions:
            return self.call(name.lower(), positional)
        if self.text(node).startswith("&"):
            return self.program(name, positional)
        if name.lower() not in COMMANDS:
            self.beyond(node)
        try:
            return COMMANDS[name.lower()](positional, options)
        except (OSError, zipfile.BadZipFile) as error:
            if str(options.get("-erroraction", "")).lower() == "silentlycontinue":
                return None
            raise Thrown(str(error)) from error

    def call(self, name, given):
        parameters, body = self.functions[name]
        self.scopes.append({p: given[i] if i < len(given) else "" for i, p in enumerate(parameters)})
        try:
            out = self.block(body)
        except Return as done:
            return done.args[0]
        finally:
            self.scopes.pop()
        return out[0] if len(out) == 1 else out or None

    def program(self, name, arguments):
        sys.stdout.flush()
        if name == "cmd.exe":  # as a shell of this system runs the same line
            done = subprocess.run(["sh", "-c", arguments[-1].replace(">NUL", ">/dev/null")], check=False)
        else:
            done = subprocess.run([name, *arguments], check=False)
        self.scopes[0]["lastexitcode"] = done.returncode


# The parameters that have a value behind them.
TAKES = {"-version", "-uri", "-outfile", "-erroraction", "-algorithm", "-literalpath", "-itemtype", "-path", "-destinationpath"}


def fetch(_, options):
    with urllib.request.urlopen(options["-uri"]) as answer, open(options["-outfile"], "wb") as file:  # noqa: S310
        shutil.copyfileobj(answer, file)


def expand(_, options):
    with zipfile.ZipFile(options["-literalpath"]) as archive:
        archive.extractall(options["-destinationpath"])
    for name in os.listdir(options["-destinationpath"]):
        os.chmod(os.path.join(options["-destinationpath"], name), 0o755)


def digest(_, options):
    with open(options["-literalpath"], "rb") as file:
        return {"hash": hashlib.file_digest(file, "sha256").hexdigest().upper()}


def lines(path):
    with open(path, encoding="utf-8") as file:
        return file.read().splitlines()


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


COMMANDS = {
    "set-strictmode": lambda given, options: None,
    "write-output": lambda given, options: print(*given),
    "join-path": lambda given, options: os.path.join(*given),
    "get-command": lambda given, options: shutil.which(given[0]),
    "new-item": lambda given, options: os.mkdir(options["-path"]),
    "new-object": lambda given, options: given[0],
    "test-path": lambda given, options: os.path.exists(options["-literalpath"]),
    "remove-item": lambda given, options: shutil.rmtree(options["-literalpath"]),
    "invoke-webrequest": fetch,
    "expand-archive": expand,
    "get-filehash": digest,
}

DOTNET = {
    ("[io.file]", "readalllines"): lines,
    ("[io.file]", "writealltext"): write,
    ("[io.path]", "gettemppath"): tempfile.gettempdir,
    ("[guid]", "newguid"): lambda: str(uuid.uuid4()),
    ("[security.principal.windowsidentity]", "getcurrent"): lambda: "identity",
    ("", "isinrole"): lambda principal, role: os.environ.get("ADMINISTRATOR") == "1",
    ("", "tostring"): lambda value, form: value.replace("-", ""),
    ("", "trim"): lambda value: value.strip(),
    ("", "tolowerinvariant"): lambda value: value.lower(),
    ("[console]error", "writeline"): lambda text: print(text, file=sys.stderr),
}


def main():
    with open(sys.argv[1], "rb") as file:
        source = file.read()
    root = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language())).parse(source).root_node
    script = Script(source)
    for value in script.block(root):
        print(value)


main()
