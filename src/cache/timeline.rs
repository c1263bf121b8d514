//! What this server knew when: the moments at which it polled the changes, and the versions that it then had.
//! Rule: moments of one database server are comparable, also those at which other servers of Souk polled. A value that was
//! loaded after a moment at which this server polled is as good as one that this server loaded then.

use std::collections::VecDeque;

use super::Version;
use crate::db::changes::{Moment, Position};

/// Number of versions that are kept: those of the last hour, with five changes a second.
const MAX_VERSIONS: usize = 1 << 14;

/// The positions of the polls since the last interruption.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    last: Option<Position>,
    /// The first moment of each version, from the oldest.
    versions: VecDeque<(Moment, Version)>,
}

impl Timeline {
    /// Forgets everything, because changes may have been missed.
    pub(super) fn clear(&mut self) {
        (self.last, self.versions) = (None, VecDeque::new());
    }

    /// Adds the position of a poll after which the version was this one.
    pub(super) fn add(&mut self, position: Position, version: Version) {
        if self.versions.back().is_none_or(|(_, last)| *last != version) {
            self.versions.push_back((position.moment.clone(), version));
        }
        if self.versions.len() > MAX_VERSIONS {
            self.versions.pop_front();
        }
        self.last = Some(position);
    }

    /// Returns the position of the last poll.
    pub(super) fn last(&self) -> Option<Position> {
        self.last.clone()
    }

    /// Returns the version of the last poll before a position; none if this server did not poll before it.
    pub(super) fn version_at(&self, position: &Position) -> Option<Version> {
        if self.last.as_ref()?.server != position.server {
            return None;
        }
        let later = self.versions.partition_point(|(moment, _)| moment.is_included_in(&position.moment));
        self.versions.get(later.checked_sub(1)?).map(|(_, version)| *version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::Versions;

    fn position(server: &str, moment: &str) -> Position {
        Position { server: server.into(), moment: moment.parse().unwrap() }
    }

    #[test]
    fn a_position_has_the_version_of_the_last_poll_before_it() {
        let (versions, mut timeline) = (Versions::default(), Timeline::default());
        assert_eq!(timeline.version_at(&position("a", "9:9:")), None);
        let first = versions.now();
        timeline.add(position("a", "10:10:"), first);
        timeline.add(position("a", "12:12:"), first);
        versions.change(["product:17"]);
        let second = versions.now();
        timeline.add(position("a", "12:16:12,14"), second);
        for (moment, version) in [
            ("9:9:", None),
            ("9:11:9", None),
            ("10:10:", Some(first)),
            ("11:15:11,12", Some(first)),
            ("12:16:12,13,14", Some(first)),
            ("12:16:12,14", Some(second)),
            ("14:16:14", Some(second)),
            ("20:20:", Some(second)),
        ] {
            assert_eq!(timeline.version_at(&position("a", moment)), version, "{moment}");
            assert_eq!(timeline.version_at(&position("b", moment)), None);
        }
        timeline.clear();
        assert_eq!(timeline.version_at(&position("a", "20:20:")), None);
    }
}
