//! Slow tests of the file storage: they start and kill the binary.

use std::{
    fs,
    io::Write,
    net::TcpStream,
    path::{Path, PathBuf},
};

use serde_json::json;
use tokio::runtime::Runtime;

use crate::support::{
    multipart_form::Form,
    process::{DataDir, ServerProcess, wait_until},
    query_scalar,
};

/// Arguments of `souk serve`.
const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// Starts a server whose temporary files are in this directory.
fn serve(dir: &DataDir, temporary: &Path) -> ServerProcess {
    let mut command = dir.command(&SERVE);
    command.env("TMPDIR", temporary);
    ServerProcess::start(command)
}

/// Registers a user who may upload images; returns their access token.
fn manager_token(dir: &DataDir, server: &ServerProcess) -> String {
    let (email, password) = ("ada@souk.example", "a long enough password");
    let input = format!("name: \"Ada\", email: \"{email}\", password: \"{password}\"");
    let (status, response) =
        server.run(None, &format!("mutation {{ register(input: {{ {input} }}) {{ user {{ id }} }} }}"));
    assert!(status == 200 && response["data"]["register"]["user"]["id"].is_string(), "{response}");
    let url = dir.stdout_of(&["db", "url"]).trim().to_owned();
    let promote = "UPDATE users SET role_id = (SELECT id FROM roles WHERE code = 'manager') RETURNING id";
    Runtime::new().unwrap().block_on(query_scalar(&url, promote)).unwrap();
    server.log_in(email, password)
}

/// Starts an upload whose last bytes are never sent; the connection stays open.
fn start_upload(server: &ServerProcess, token: &str) -> TcpStream {
    let query = "mutation ($file: Upload) {
        productImageCreate(input: { productId: \"none\", file: $file }) { userErrors { code } } }";
    let operations = json!({ "query": query, "variables": { "file": null } });
    let form = Form::new(&operations, &json!({ "0": ["variables.file"] }));
    let body = form.file("0", "a.png", &vec![b'x'; 200_000]).body();
    let head = format!(
        "POST /graphql HTTP/1.1\r\nHost: souk\r\nAuthorization: Bearer {token}\r\nGraphQL-Require-Preflight: 1\r\n\
         Content-Type: multipart/form-data; boundary=a-boundary-of-the-tests\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&body[..body.len() - 1_000]).unwrap();
    stream
}

/// Returns the entries of a directory, sorted.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// Returns the files with contents in the directories of the servers.
fn received_files(temporary: &Path) -> Vec<PathBuf> {
    let files = entries(temporary).into_iter().filter(|path| path.is_dir()).flat_map(|directory| entries(&directory));
    files.filter(|file| file.metadata().is_ok_and(|metadata| metadata.len() > 0)).collect()
}

#[test]
fn temporary_files_of_a_killed_server_are_removed_by_the_next_one() {
    let dir = DataDir::new();
    let temporary = dir.0.join("temporary");
    fs::create_dir(&temporary).unwrap();
    fs::write(temporary.join("a file of another program"), "x").unwrap();

    let killed = serve(&dir, &temporary);
    let token = manager_token(&dir, &killed);
    let upload = start_upload(&killed, &token);
    wait_until("the upload is written to a temporary file", || !received_files(&temporary).is_empty());
    killed.signal("-KILL");
    assert_eq!(killed.wait(), None);
    drop(upload);
    let left = entries(&temporary);
    assert_eq!(received_files(&temporary).len(), 1, "a killed server leaves its files: {left:?}");

    let next = serve(&dir, &temporary);
    next.wait_for_log("temporary files of a killed process removed");
    assert_eq!(received_files(&temporary), [""; 0].map(PathBuf::from));
    // What is left are the directory and the lock of the running server, which were not there before.
    let own = entries(&temporary);
    let new: Vec<_> = own.iter().filter(|path| !left.contains(path)).collect();
    assert_eq!((own.len(), new.len()), (3, 2), "{own:?}");

    // A server that runs keeps its files when another one starts.
    let upload = start_upload(&next, &next.log_in("ada@souk.example", "a long enough password"));
    wait_until("the upload is written to a temporary file", || !received_files(&temporary).is_empty());
    let files = received_files(&temporary);
    let other_dir = DataDir::new();
    let other = serve(&other_dir, &temporary);
    assert_eq!(received_files(&temporary), files);
    assert_eq!(other.stop(), Some(0));
    assert_eq!(received_files(&temporary), files);
    drop(upload);
    // A server that is stopped removes them itself.
    assert_eq!(next.stop(), Some(0));
    assert_eq!(entries(&temporary), [temporary.join("a file of another program")]);
}
