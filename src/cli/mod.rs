//! The command line: one file for each command.
//! Rule: a command reads its arguments, opens the database and calls the lower layers; it decides nothing itself.

/// Prints a line for people. Whoever reads no further has read enough: it is no error.
macro_rules! print_line {
    ($($line:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($line)*)));
    }};
}

mod admin;
mod database;
mod db;
mod demo;
mod docs;
mod export;
mod health;
mod import;
pub mod job_handlers;
mod migrate;
mod schema;
mod serve;

use std::{
    io::{self, ErrorKind, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    config::{ServeSettings, Settings},
    db::actor::Actor,
    error::Error,
    telemetry,
};

/// Why a command failed: its text is for people.
type CommandError = Box<dyn std::error::Error + Send + Sync>;

/// The result of a command.
type CommandResult = Result<(), CommandError>;

/// A GraphQL commerce server: one binary in front of PostgreSQL.
#[derive(Parser)]
#[command(name = "souk", version, about, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves the graph: starts the database where none is given, migrates it, listens.
    Serve {
        #[command(flatten)]
        settings: Box<ServeSettings>,
        /// Fills an empty database with a small market, and prints its logins.
        #[arg(long)]
        demo: bool,
    },
    /// Brings the database to this version's tables.
    Migrate,
    /// Fills an empty database with a small market, and prints its logins.
    Demo,
    /// Brings in what a shop has today.
    Import {
        #[command(subcommand)]
        command: import::ImportCommand,
    },
    /// Takes everything of a resource out, as a file.
    Export(export::ExportArgs),
    /// Makes admins, and gives them new passwords.
    Admin {
        #[command(subcommand)]
        command: admin::AdminCommand,
    },
    /// Prints the schema as text.
    Schema,
    /// Writes the reference pages of the manual and `.env.example`. Migrates the database, which one page shows.
    Docs {
        /// The directory of the project.
        #[arg(long, default_value = ".", value_name = "DIR")]
        dir: PathBuf,
    },
    /// Tells about the database.
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// Checks whether a running server is ready. The exit code is 0 if it is.
    Health {
        /// URL to request. Default: `/readyz` of the server on this machine, on the port of SOUK_LISTEN.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        /// Address that the server listens on.
        #[arg(long, env = "SOUK_LISTEN", default_value = "127.0.0.1:8000", value_name = "ADDRESS")]
        listen: SocketAddr,
    },
}

#[derive(Subcommand)]
enum DbCommand {
    /// Prints how to connect: `psql "$(souk db url)"`.
    Url,
    /// Prints the tables as a Mermaid diagram.
    Diagram {
        /// Only these tables, by commas.
        #[arg(long, value_delimiter = ',', value_name = "TABLES")]
        only: Vec<String>,
    },
}

impl Command {
    /// What the audit log calls it.
    fn name(&self) -> &'static str {
        match self {
            Self::Serve { .. } => "serve",
            Self::Migrate => "migrate",
            Self::Demo => "demo",
            Self::Import { command } => command.name(),
            Self::Export(_) => "export",
            Self::Admin { command: admin::AdminCommand::Create { .. } } => "admin create",
            Self::Admin { command: admin::AdminCommand::ResetPassword { .. } } => "admin reset-password",
            Self::Schema => "schema",
            Self::Docs { .. } => "docs",
            Self::Db { command: DbCommand::Url } => "db url",
            Self::Db { command: DbCommand::Diagram { .. } } => "db diagram",
            Self::Health { .. } => "health",
        }
    }

    async fn run(self, settings: &Settings) -> CommandResult {
        match self {
            Self::Serve { settings: serve, demo } => serve::serve(settings, &serve, demo).await,
            Self::Migrate => migrate::migrate(settings).await,
            Self::Demo => demo::run(settings).await,
            Self::Import { command } => command.run(settings).await,
            Self::Export(args) => export::run(settings, args).await,
            Self::Admin { command } => admin::run(settings, command).await,
            Self::Schema => schema::run(),
            Self::Docs { dir } => docs::run(settings, &dir).await,
            Self::Db { command: DbCommand::Url } => db::print_url(settings).await,
            Self::Db { command: DbCommand::Diagram { only } } => db::print_diagram(settings, &only).await,
            Self::Health { url, listen } => health::run(url, listen).await,
        }
    }
}

/// The command line as clap knows it, for the reference pages.
fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// Prints a text for other programs. A reader that has seen enough, as in `souk schema | head`, is no mistake.
fn print(text: &str) -> CommandResult {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// The path with a suffix after its extension.
fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Runs the command of the process's arguments.
///
/// The runtime is built here and not in the binary: what is compiled there would be compiled a second time.
pub fn run() -> ExitCode {
    let Cli { settings, command } = Cli::parse();
    telemetry::start(&settings.log, settings.log_format);
    let actor = Actor::command(command.name());
    let result = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(actor.scope(Box::pin(command.run(&settings)))),
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("souk: {error}");
            // As clap does: 2 says that the command was called wrongly.
            let is_usage_error = matches!(error.downcast_ref(), Some(Error::User(_)));
            ExitCode::from(if is_usage_error { 2 } else { 1 })
        }
    }
}
