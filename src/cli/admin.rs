//! `souk admin create` and `souk admin reset-password`.
//! Rule: a password is asked for, or read from standard input; never an argument, which every process can read.

use std::io::{self, BufRead, IsTerminal};

use clap::Subcommand;

use super::{CommandError, CommandResult, database::with_database};
use crate::{
    access::{actions::accounts, model::NewAccount},
    auth::{PasswordCost, Passwords},
    config::Settings,
    db::Db,
};

/// What is done with admins.
#[derive(Subcommand)]
pub(super) enum AdminCommand {
    /// Makes an account with the role `admin`, and asks for its password.
    Create {
        /// E-mail address to log in with.
        #[arg(long)]
        email: String,
        /// Name for people.
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
    /// Gives an account a new password, asks for it, and ends all its sessions.
    ResetPassword {
        /// E-mail address of the account.
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
            format!("{} is an admin", user.email.unwrap_or_default())
        }
        AdminCommand::ResetPassword { email } => {
            let user = accounts::reset_password(db, &passwords, &email, password).await?;
            format!("{} has a new password, and is logged out everywhere", user.email.unwrap_or_default())
        }
    })
}

/// The password: typed twice at a terminal, or else the first line of standard input.
fn read_password() -> io::Result<String> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let password = rpassword::prompt_password("Password: ")?;
    if rpassword::prompt_password("Again: ")? != password {
        return Err(io::Error::other("the two are not the same"));
    }
    Ok(password)
}
