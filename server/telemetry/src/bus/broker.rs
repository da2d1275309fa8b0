//! A broker inside the house, for the demo and for tests.
//!
//! Never: listens to anyone but this host, since it asks no one who they are; writes anything to disk.

use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::task::JoinHandle;

/// Clients at once.
const CLIENTS: usize = 256;
/// Messages that are kept for those who come later: 100,000 points, and as many again.
const RETAINED: usize = 200_000;
/// The largest packet.
const LARGEST: usize = 256 * 1_024;

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Not an address of this host.
    #[error("the embedded broker asks no one who they are and listens on this host alone, not on {0}")]
    NotLoopback(SocketAddr),
    /// The port can't be had.
    #[error("the embedded broker could not listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: mqtt5::MqttError,
    },
}

/// A running broker. Dropping it stops it.
#[derive(Debug)]
pub struct EmbeddedBroker {
    address: SocketAddr,
    stop: Stop,
    task: JoinHandle<()>,
}

/// Starts a broker at a loopback address; port 0 takes a free one.
pub async fn broker(address: SocketAddr) -> Result<EmbeddedBroker, BrokerError> {
    if !address.ip().is_loopback() {
        return Err(BrokerError::NotLoopback(address));
    }
    let mut config = BrokerConfig::new()
        .with_bind_address(address)
        .with_max_clients(CLIENTS)
        .with_max_packet_size(LARGEST)
        .with_max_retained_messages(RETAINED)
        .with_max_retained_message_size(LARGEST)
        .with_session_expiry(Duration::from_hours(1))
        .with_sys_topics_enabled(false);
    config.storage_config.enable_persistence = false;
    let listen = |source| BrokerError::Listen { address, source };
    let mut broker = MqttBroker::with_config(config).await.map_err(listen)?;
    let address = broker.local_addr().unwrap_or(address);
    let stop = Stop(broker.shutdown_handle());
    let mut ready = broker.ready_receiver();
    let task = tokio::spawn(async move {
        if let Err(error) = broker.run().await {
            tracing::warn!(error = %error, "The embedded broker stopped.");
        }
    });
    // Where it never gets ready it has stopped, and said so.
    let _ = ready.wait_for(|ready| *ready).await;
    Ok(EmbeddedBroker { address, stop, task })
}

impl EmbeddedBroker {
    /// Where it listens, with its real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
    /// Its address as a client writes it.
    pub fn url(&self) -> String {
        format!("mqtt://{}", self.address)
    }
    /// Stops, and waits until its port is free.
    pub async fn stop(self) {
        self.stop.0.shutdown();
        // A broker that panicked has stopped too.
        let _ = self.task.await;
    }
}

struct Stop(BrokerShutdownHandle);

impl std::fmt::Debug for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Stop")
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_listens_on_this_host_alone() {
        let refused = broker(([0, 0, 0, 0], 0).into()).await.unwrap_err();
        assert!(refused.to_string().contains("this host alone"), "{refused}");
    }

    #[tokio::test]
    async fn its_port_is_free_again_once_it_has_stopped() {
        let first = broker(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = first.address();
        assert_ne!(address.port(), 0);
        first.stop().await;
        broker(address).await.unwrap().stop().await;
    }
}
