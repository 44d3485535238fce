//! Telling a client what has changed, by both protocols.

use std::sync::Weak;

use rmcp::{
    Peer, RoleServer, ServiceError,
    model::ResourceUpdatedNotificationParam,
    service::{SubscriptionContext, SubscriptionSink},
};

use super::follower::{Follower, News};

/// Tells a client with a handshake of what it follows, until it has gone.
pub(super) async fn to_client(follower: Weak<Follower>, client: Peer<RoleServer>) {
    while let Some(news) = Follower::next(&follower).await {
        if tell_client(&client, news).await.is_err() {
            return;
        }
    }
}

/// Tells a client that listens, until it no longer does.
pub(super) async fn to_listener(follower: Weak<Follower>, context: &SubscriptionContext) {
    loop {
        tokio::select! {
            () = context.cancelled() => return,
            news = Follower::next(&follower) => match news {
                Some(news) => tell_listener(context.sink(), news).await,
                None => return,
            },
        }
    }
}

async fn tell_client(client: &Peer<RoleServer>, news: News) -> Result<(), ServiceError> {
    let News { lists, resources, updated } = news;
    if lists {
        client.notify_tool_list_changed().await?;
        client.notify_prompt_list_changed().await?;
    }
    if lists || resources {
        client.notify_resource_list_changed().await?;
    }
    for uri in updated {
        client.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await?;
    }
    Ok(())
}

async fn tell_listener(listener: &SubscriptionSink, news: News) {
    let News { lists, resources, updated } = news;
    // What was not asked for is refused here, and is no failure.
    if lists {
        let _ = listener.notify_tool_list_changed().await;
        let _ = listener.notify_prompt_list_changed().await;
    }
    if lists || resources {
        let _ = listener.notify_resource_list_changed().await;
    }
    for uri in updated {
        let _ = listener.notify_resource_updated(uri).await;
    }
}
