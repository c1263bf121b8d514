//! Many random writes and reads on several servers, and a database that is restarted.

mod restart;
mod several_servers;
