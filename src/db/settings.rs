//! What the way to the database is tuned by.

use std::time::Duration;

/// Sizes and limits of the connections.
#[derive(Debug, Clone)]
pub struct DbSettings {
    /// Shared, pipelined read connections; as many again that plan for the values at hand.
    pub read_connections: usize,
    /// Longest statement on a shared read connection.
    pub read_timeout: Duration,
    /// Most connections of the pool for transactions.
    pub pool_size: usize,
    /// Longest statement within a transaction.
    pub write_timeout: Duration,
    /// Longest wait for a new connection, and for a free one of the pool.
    pub connect_timeout: Duration,
}

impl DbSettings {
    /// As many as there are cores, from 2 to 8: more of them wake each other without need, measured on two cores.
    pub fn default_read_connections() -> usize {
        std::thread::available_parallelism().map_or(2, |cores| cores.get().clamp(2, 8))
    }
}

impl Default for DbSettings {
    fn default() -> Self {
        Self {
            read_connections: Self::default_read_connections(),
            read_timeout: Duration::from_secs(5),
            pool_size: 16,
            write_timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
        }
    }
}
