//! The page of commands.

use clap::Command;

use super::{cell, default, help};

const HEAD: &str = "\
# Commands

The options of all commands and of `souk serve` are on the page [Settings](settings.md).
";

/// The page of commands, one section for each.
pub fn page(root: &Command) -> String {
    let mut text = HEAD.to_owned();
    let mut path = vec![root.get_name().to_owned()];
    for command in root.get_subcommands() {
        section(command, &mut path, &mut text);
    }
    text
}

fn section(command: &Command, path: &mut Vec<String>, text: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    path.push(command.get_name().to_owned());
    if command.has_subcommands() {
        for child in command.get_subcommands() {
            section(child, path, text);
        }
    } else {
        let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
        *text += &format!("\n## `{}`\n\n{}\n\n```text\n{}\n```\n", path.join(" "), about.trim(), usage(command, path));
        *text += &options(command);
    }
    path.pop();
}

fn usage(command: &Command, path: &[String]) -> String {
    let mut usage = path.join(" ");
    for arg in command.get_positionals() {
        let name = arg.get_value_names().map_or_else(|| arg.get_id().to_string(), |names| names.join(" "));
        usage += &if arg.is_required_set() { format!(" <{name}>") } else { format!(" [{name}]") };
    }
    if command.get_opts().any(|arg| !arg.is_global_set()) { usage + " [OPTIONS]" } else { usage }
}

fn options(command: &Command) -> String {
    let mut rows = String::new();
    // Those with a variable are settings, which have their own page.
    for arg in
        command.get_arguments().filter(|arg| !arg.is_global_set() && arg.get_env().is_none() && !arg.is_hide_set())
    {
        if arg.get_id() == "help" || arg.get_id() == "version" {
            continue;
        }
        let values = arg.get_value_names().map(|names| names.join(" ")).unwrap_or_default();
        let name = match arg.get_long() {
            Some(long) if arg.get_action().takes_values() => format!("--{long} {values}"),
            Some(long) => format!("--{long}"),
            None => values,
        };
        let default = match default(arg) {
            default if default.is_empty() || !arg.get_action().takes_values() => String::new(),
            default => format!(" Default: `{default}`."),
        };
        rows += &format!("| `{name}` | {}{default} |\n", cell(&help(arg)));
    }
    if rows.is_empty() { rows } else { format!("\n| argument | description |\n|---|---|\n{rows}") }
}
