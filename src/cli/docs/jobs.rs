//! The page of background jobs.

use std::time::Duration;

use super::cell;
use crate::cli::job_handlers::JOBS;

const HEAD: &str = "\
# Background jobs

The kinds of jobs that a server runs. See [Background jobs](../operations/jobs.md) for how they run, fail and are retried.
";

/// The page of jobs.
pub fn page() -> String {
    let mut text = format!("{HEAD}\n## Recurring jobs\n\n| kind | period | what it does |\n|---|---|---|\n");
    for job in JOBS {
        if let Some(period) = job.period {
            text += &format!("| `{}` | {} | {} |\n", job.kind, words(period), cell(job.description));
        }
    }
    text += "\n## Queued jobs\n\n| kind | what it does |\n|---|---|\n";
    for job in JOBS.iter().filter(|job| job.period.is_none()) {
        text += &format!("| `{}` | {} |\n", job.kind, cell(job.description));
    }
    text
}

fn words(period: Duration) -> String {
    match period.as_secs() {
        seconds if seconds % 3600 == 0 => format!("{} h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{} min", seconds / 60),
        seconds => format!("{seconds} s"),
    }
}
