//! The stream of a connection, which fails when its client is too slow.
//! Rule: writing ends when the client does not receive at a sufficient pace; what arrives is reported to the phase.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

use super::{pace::Pace, phase::Phase};

/// A stream with time limits.
pub struct TimedStream {
    stream: TcpStream,
    phase: Phase,
    writing: Pace,
}

impl TimedStream {
    /// Creates the stream of a connection in this phase.
    pub fn new(stream: TcpStream, phase: Phase, writing: Pace) -> Self {
        Self { stream, phase, writing }
    }

    /// Completes a write: counts its bytes, or waits for the client to receive.
    fn after_write(&mut self, written: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                self.writing.add(bytes);
                self.phase.set_client_is_slow(false);
            }
            Poll::Ready(Err(_)) => {}
            Poll::Pending => {
                self.phase.set_client_is_slow(true);
                if self.writing.poll_too_slow(context).is_ready() {
                    let error = io::Error::new(ErrorKind::TimedOut, "the client receives too slowly");
                    return Poll::Ready(Err(error));
                }
            }
        }
        written
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.phase.received();
        }
        read
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.after_write(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.after_write(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Called when everything was written.
        self.writing.finish();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
