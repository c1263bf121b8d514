//! The command-line interface: one file per command.
//! Rule: a command reads its arguments, opens the database and calls the lower layers; it contains no business rules.

/// Prints a line to standard output. Write errors are ignored: a reader may close the pipe early.
macro_rules! print_line {
    ($($line:tt)*) => {{
        let _ = std::io::Write::write_fmt(&mut std::io::stdout(), format_args!("{}\n", format_args!($($line)*)));
    }};
}

mod admin;
mod database;
mod db;
pub mod demo;
mod descriptors;
mod docs;
mod documents;
mod export;
mod health;
mod import;
pub mod job_handlers;
mod migrate;
mod schema;
mod serve;

use std::{
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{CommandFactory, Parser, Subcommand};

use crate::{
    config::{FileSettings, ListenSettings, ServeSettings, Settings},
    db::actor::Actor,
    error::Error,
    telemetry,
};

/// The error of a command; its message is shown to the user.
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
    /// Start the server. Migrates the database first; without DATABASE_URL, starts its own PostgreSQL.
    Serve {
        #[command(flatten)]
        settings: Box<ServeSettings>,
        /// Fill an empty database with demo data and print the demo logins.
        #[arg(long)]
        demo: bool,
    },
    /// Apply pending database migrations.
    Migrate,
    /// Fill an empty database with demo data and print the demo logins.
    Demo {
        #[command(flatten)]
        files: Box<FileSettings>,
    },
    /// Import the data of an existing shop.
    Import {
        #[command(subcommand)]
        command: import::ImportCommand,
    },
    /// Export all items of a resource to a file.
    Export(export::ExportArgs),
    /// Store the GraphQL documents of the shop's clients.
    Documents {
        #[command(subcommand)]
        command: documents::DocumentsCommand,
    },
    /// Create admins and reset passwords.
    Admin {
        #[command(subcommand)]
        command: admin::AdminCommand,
    },
    /// Print the GraphQL schema (SDL).
    Schema,
    /// Write the reference pages of the manual and `.env.example`. Migrates the database.
    Docs {
        /// The project's directory.
        #[arg(long, default_value = ".", value_name = "DIR")]
        dir: PathBuf,
    },
    /// Print information about the database.
    Db {
        #[command(subcommand)]
        command: DbCommand,
    },
    /// Check whether a running server is ready. The exit code is 0 if it is.
    Health {
        /// URL to request. Default: `/readyz` of the server on this machine, on the port of SOUK_LISTEN.
        #[arg(long, value_name = "URL")]
        url: Option<String>,
        #[command(flatten)]
        listen: ListenSettings,
    },
}

#[derive(Subcommand)]
enum DbCommand {
    /// Print the connection URL, for example for `psql "$(souk db url)"`.
    Url,
    /// Print the tables as a Mermaid diagram.
    Diagram {
        /// Only these tables, separated by commas.
        #[arg(long, value_delimiter = ',', value_name = "TABLES")]
        only: Vec<String>,
    },
}

impl Command {
    /// Returns the command's name for the audit log.
    fn name(&self) -> &'static str {
        match self {
            Self::Serve { .. } => "serve",
            Self::Migrate => "migrate",
            Self::Demo { .. } => "demo",
            Self::Import { command } => command.name(),
            Self::Export(_) => "export",
            Self::Admin { command: admin::AdminCommand::Create { .. } } => "admin create",
            Self::Admin { command: admin::AdminCommand::ResetPassword { .. } } => "admin reset-password",
            Self::Documents { command } => command.name(),
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
            Self::Demo { files } => demo::run(settings, &files).await,
            Self::Import { command } => command.run(settings).await,
            Self::Export(args) => export::run(settings, args).await,
            Self::Admin { command } => admin::run(settings, command).await,
            Self::Documents { command } => command.run(settings).await,
            Self::Schema => schema::run(),
            Self::Docs { dir } => docs::run(settings, &dir).await,
            Self::Db { command: DbCommand::Url } => db::print_url(settings).await,
            Self::Db { command: DbCommand::Diagram { only } } => db::print_diagram(settings, &only).await,
            Self::Health { url, listen } => health::run(url, listen.address).await,
        }
    }
}

/// Returns the command line's definition, for the reference pages.
fn command() -> clap::Command {
    let mut command = Cli::command();
    command.build();
    command
}

/// Prints machine-readable text. A reader that closes the pipe early, as in `souk schema | head`, is not an error.
fn print(text: &str) -> CommandResult {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Returns the path with a suffix appended to its extension.
fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut path = file.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

/// Lets only the process's account read the files and list the directories that the process creates: exports, rejects files,
/// uploads and temporary files contain personal data. Under root, PostgreSQL's account can still pass through directories to
/// its own.
fn keep_files_private() {
    #[cfg(unix)]
    {
        use rustix::fs::Mode;
        rustix::process::umask(Mode::RGRP | Mode::WGRP | Mode::ROTH | Mode::WOTH);
    }
}

/// Parses the process's arguments and runs the command.
///
/// The runtime is built here and not in `main.rs`: generic code that is used there would be compiled a second time.
pub fn run() -> ExitCode {
    let Cli { settings, command } = Cli::parse();
    telemetry::start(&settings.log, settings.log_format);
    keep_files_private();
    let actor = Actor::command(command.name());
    let result = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let result = runtime.block_on(actor.scope(Box::pin(command.run(&settings))));
            // Nobody waits for blocking work that is still running, such as an image that is being rendered.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("souk: {error}");
            // Like clap: exit code 2 means incorrect usage.
            let is_usage_error = matches!(error.downcast_ref(), Some(Error::User(_)));
            ExitCode::from(if is_usage_error { 2 } else { 1 })
        }
    }
}
