//! Settings for the database connections.

use std::time::Duration;

/// Sizes and limits of the database connections.
#[derive(Debug, Clone)]
pub struct DbSettings {
    /// Number of shared, pipelined connections for bounded reads.
    pub read_connections: usize,
    /// Number of connections for expensive reads, each used by one read at a time.
    pub expensive_read_connections: usize,
    /// Statement timeout on shared read connections.
    pub read_timeout: Duration,
    /// Maximum number of pooled connections for transactions.
    pub pool_size: usize,
    /// Statement timeout in transactions.
    pub write_timeout: Duration,
    /// Maximum time that a transaction waits for a lock of another one.
    pub lock_timeout: Duration,
    /// Maximum time to connect, and to wait for a free pooled connection.
    pub connect_timeout: Duration,
}

impl DbSettings {
    /// Returns the number of CPU cores, between 2 and 8. More connections cause needless wake-ups, as measured on two
    /// cores.
    pub fn default_read_connections() -> usize {
        std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8))
    }

    /// Returns twice the number of CPU cores, between 4 and 16: more would share the processors only.
    pub fn default_expensive_read_connections() -> usize {
        std::thread::available_parallelism().map_or(4, |cores| (2 * cores.get()).clamp(4, 16))
    }
}

impl Default for DbSettings {
    fn default() -> Self {
        Self {
            read_connections: Self::default_read_connections(),
            expensive_read_connections: Self::default_expensive_read_connections(),
            read_timeout: Duration::from_secs(5),
            pool_size: 16,
            write_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
        }
    }
}
