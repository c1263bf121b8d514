"""Converts a PostgreSQL log (log_statement = 'all') to a pgbench script with the same statements and parameter values."""

import re
import sys

# Tables of Souk's periodic background work: statements and transactions that use them do not belong to the request.
BACKGROUND = re.compile(r'"?\b(jobs|sessions|roles|role_permissions|carts|cart_reservations)\b"?|^SELECT clock_timestamp\(\)$')
ENTRY = re.compile(r"^\d{4}-\d\d-\d\d \S+ \S+ \[(\d+)\] (\w+):  (.*)", re.DOTALL)
TOKEN = re.compile(r"""\b[Ee]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|(?<!:):(?=\w)|\$(\d+)""")
PARAMETER = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")


def literal(value):
    # pgbench would replace :word with a variable, even within a string.
    if "\\" in value or ":" in value:
        return "E" + value.replace("\\", "\\\\").replace(":", "\\072")
    return value


def substitute(statement, values):
    def replacement(token):
        if token[1]:
            return literal(values[token[1]])
        # Escapes string constants and the colon of array slices; quoted identifiers are unchanged.
        kind = token[0][0]
        return literal(token[0]) if kind == "'" else token[0].replace(":", "\\072") if kind in "Ee" else ": " if kind == ":" else token[0]

    return TOKEN.sub(replacement, statement)


def main():
    # A line that starts with a tab continues the previous one.
    entries = [ENTRY.match(line) for line in sys.stdin.read().replace("\n\t", " ").splitlines()]
    # units: single statements and whole transactions; opened: the open transaction of each connection.
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
            # Statements without parameters have no DETAIL line.
            unit.append(statement if "$" in statement else substitute(statement, {}))
            last[connection] = unit
        elif level == "DETAIL" and text.lower().startswith("parameters: ") and connection in last:
            unit = last[connection]
            unit[-1] = substitute(unit[-1], dict(PARAMETER.findall(text)))
    for unit in units:
        if not any(BACKGROUND.search(statement) for statement in unit):
            print(*(statement + ";" for statement in unit), sep="\n")


main()
