//! One bash for the examples of a page, so that a variable of one example is there in the next.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// What a finished example leaves behind: a line that no example prints.
const END: &str = "--- the example has ended with code ";

/// A running bash.
pub struct Shell {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    directory: PathBuf,
}

impl Shell {
    /// Starts a bash in this directory, with these variables and `souk` on its path.
    pub fn start(directory: &Path, variables: &[(&str, &str)]) -> Self {
        let souk = Path::new(env!("CARGO_BIN_EXE_souk")).parent().expect("a directory").to_owned();
        let path = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).current_dir(directory).env_clear();
        command.env("PATH", format!("{}:{path}", souk.display())).env("HOME", directory);
        command.envs(variables.iter().copied());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("bash runs");
        let input = child.stdin.take().expect("a pipe");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, input, output, directory: directory.to_owned() }
    }

    /// Runs an example; what it prints and its exit code.
    pub fn run(&mut self, script: &str) -> (String, String) {
        let file = self.directory.join("example.sh");
        fs::write(&file, script).expect("a file");
        writeln!(self.input, ". ./example.sh 2>&1 </dev/null; printf '\\n{END}%s\\n' $?").expect("bash reads");
        let mut printed = String::new();
        loop {
            let mut line = String::new();
            let length = self.output.read_line(&mut line).expect("bash prints");
            assert!(length > 0, "bash ended within the example:\n{script}\n{printed}");
            if let Some(code) = line.strip_prefix(END) {
                return (printed.trim_end().to_owned(), code.trim().to_owned());
            }
            printed.push_str(&line);
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
