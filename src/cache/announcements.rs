//! Announcements of changes among servers, by Redis.
//! Rule: an announcement only makes the other servers poll earlier. What changed, they read from the database.

use std::{future::ready, sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinSet, time::sleep};
use uuid::Uuid;

use super::ChangeWatcher;
use crate::redis::Redis;

/// Minimum interval between two announcements of a server, and between two polls because of announcements.
const INTERVAL: Duration = Duration::from_millis(20);

/// Announces the changes of this server, and listens to those of others.
#[derive(Debug)]
pub struct Announcements {
    announced: Throttle,
}

impl Announcements {
    /// Starts to announce and to listen, until it is dropped.
    pub fn start(redis: Redis, watcher: &Arc<ChangeWatcher>) -> Self {
        // Channels are the same for all databases of a server.
        let (name, channel) = (Uuid::new_v4().to_string(), format!("souk:changes:{}", redis.database()));
        let watcher = Arc::downgrade(watcher);
        let heard = Throttle::start(move || {
            watcher.upgrade().inspect(|watcher| watcher.poll_soon());
            ready(())
        });
        let own = name.clone();
        redis.subscribe(channel.clone(), move |message| {
            if message != own.as_bytes() {
                heard.run_soon();
            }
        });
        let announced = Throttle::start(move || {
            let (redis, channel, name) = (redis.clone(), channel.clone(), name.clone());
            async move { redis.publish(&channel, &name).await }
        });
        Self { announced }
    }

    /// Tells the other servers that something changed.
    pub fn announce(&self) {
        self.announced.run_soon();
    }
}

/// Runs something when asked to, but not too often, until it is dropped.
#[derive(Debug)]
struct Throttle {
    asked: Arc<Notify>,
    _task: JoinSet<()>,
}

impl Throttle {
    fn start<F: Future<Output = ()> + Send>(run: impl Fn() -> F + Send + 'static) -> Self {
        let asked = Arc::<Notify>::default();
        let (mut task, notified) = (JoinSet::new(), Arc::clone(&asked));
        task.spawn(async move {
            loop {
                notified.notified().await;
                run().await;
                sleep(INTERVAL).await;
            }
        });
        Self { asked, _task: task }
    }

    fn run_soon(&self) {
        self.asked.notify_one();
    }
}
