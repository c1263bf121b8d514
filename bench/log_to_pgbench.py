"""Makes a script for pgbench of what PostgreSQL logged with log_statement = 'all': the same statements, their parameters put in."""

import re
import sys

# What souk does by itself, every second: a statement or transaction that names one of these was not for the request.
BACKGROUND = re.compile(r'"?\b(jobs|sessions|roles|role_permissions|carts|cart_reservations)\b"?|^SELECT clock_timestamp\(\)$')
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[(\d+)\] (\w+):  (.*)", re.DOTALL)
TOKEN = re.compile(r"""\b[Ee]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<!:):(?=\w)|\$(\d+)""")
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")


def literal(value):
    # pgbench would take :word for one of its variables, in a text, too.
    if "\\" in value or ":" in value:
        return "E" + value.replace("\\", "\\\\").replace(":", "\\072")
    return value


def substitute(statement, values):
    def replacement(token):
        if token[1]:
            return literal(values[token[1]])
        # Constants of the statement, and the colon of a slice; names in double quotes stay.
        kind = token[0][0]
        return literal(token[0]) if kind == "'" else token[0].replace(":", "\\072") if kind in "Ee" else ": " if kind == ":" else token[0]

    return TOKEN.sub(replacement, statement)


def main():
    # A line that begins with a tab goes on with the one before.
    entries = [ENTRY.match(line) for line in sys.stdin.read().replace("\n\t", " ").splitlines()]
    # A statement, or all of a transaction; of each connection the transaction that is open.
    units, opened, last = [], {}, {}
    for entry in filter(None, entries):
        connection, level, text = entry.groups()
        statement = re.match(r"(?:statement|execute [^:]+): (.*)", text, re.DOTALL)
        if level == "LOG" and statement:
            statement = statement[1].strip().rstrip(";")
            unit = opened.get(connection)
            if unit is None:
                unit = []
                units.append(unit)
                if re.match("BEGIN|START", statement):
                    opened[connection] = unit
            elif re.match("COMMIT|ROLLBACK|END", statement):
                del opened[connection]
            # A statement without parameters has no DETAIL.
            unit.append(statement if "$" in statement else substitute(statement, {}))
            last[connection] = unit
        elif level == "DETAIL" and text.lower().startswith("parameters: ") and connection in last:
            unit = last[connection]
            unit[-1] = substitute(unit[-1], dict(PARAMETER.findall(text)))
    for unit in units:
        if not any(BACKGROUND.search(statement) for statement in unit):
            print(*(statement + ";" for statement in unit), sep="\n")


main()
