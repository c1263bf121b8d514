//! `souk admin create` and `souk admin reset-password`.
//! Rule: passwords are prompted for or read from standard input; never arguments, which every process can read.

use std::io::{self, BufRead, IsTerminal};

use clap::Subcommand;

use super::{CommandError, CommandResult, database::with_database};
use crate::{
    access::{actions::accounts, model::NewAccount},
    auth::{PasswordCost, Passwords},
    config::Settings,
    db::Db,
};

/// The admin commands.
#[derive(Subcommand)]
pub(super) enum AdminCommand {
    /// Create an account with the role `admin`. Prompts for its password, or reads it from standard input.
    Create {
        /// Email address to log in with.
        #[arg(long)]
        email: String,
        /// Display name.
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
    /// Set a new password for an account and end all its sessions. Prompts for the password, or reads it from standard
    /// input.
    ResetPassword {
        /// Email address of the account.
        #[arg(long)]
        email: String,
    },
}

pub(super) async fn run(settings: &Settings, command: AdminCommand) -> CommandResult {
    let password = read_password()?;
    let result = with_database(settings, async |db| execute(&db, command, password).await).await?;
    print_line!("{result}");
    Ok(())
}

async fn execute(db: &Db, command: AdminCommand, password: String) -> Result<String, CommandError> {
    let passwords = Passwords::new(PasswordCost::default())?;
    Ok(match command {
        AdminCommand::Create { email, name } => {
            let password = Some(password);
            let new = NewAccount { name, email, phone: None, password, source_website: None };
            let user = accounts::create_admin(db, &passwords, new).await?;
            format!("created the admin {}", user.email.unwrap_or_default())
        }
        AdminCommand::ResetPassword { email } => {
            let user = accounts::reset_password(db, &passwords, &email, password).await?;
            format!("changed the password of {} and ended all sessions", user.email.unwrap_or_default())
        }
    })
}

/// Reads the password: prompted for twice on a terminal, otherwise the first line of standard input.
fn read_password() -> io::Result<String> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Repeat password: ")? != password {
        return Err(io::Error::other("the passwords do not match"));
    }
    Ok(password)
}
