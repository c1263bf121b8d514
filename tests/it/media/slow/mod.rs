//! Slow tests of media: measurements that are ignored by default, because they take a minute without optimization.

mod renditions;
