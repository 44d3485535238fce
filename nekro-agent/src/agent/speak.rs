//! What plugins say: to people, kept like an answer, so that the model knows of it, and then sent; and to the agent.

use std::sync::{Arc, OnceLock, Weak};

use nekro_core::{
    Answer, AnswerForm, BoxFuture, Delivery, Error, FilePlace, FilesPort, Message, MessageFile, MessagesPort, PluginId, Pushed,
    Result, SandboxPath, SessionId, Trigger, UserId, WriteHow, event::facts::MessageSent,
};

use super::{
    Inner, Machine,
    inbound::{Company, Fate, From, Inbound},
    receive,
};
use crate::history::{Body, HistoryPort, NewMessage};

/// Where files lie that were sent, in the directory of the conversation.
const SENT: &str = "sent";

/// How many files of one name may have been sent before another name is needed.
const MOST_OF_ONE_NAME: u32 = 1_000;

/// Keeps what plugins say, and passes it on.
pub(crate) struct Speaker {
    history: Arc<dyn HistoryPort>,
    channel: Arc<dyn MessagesPort>,
    // Whom it is told; not kept alive by it.
    agent: OnceLock<Weak<Inner>>,
}

impl Speaker {
    /// Makes one that keeps messages in a history, and sends them to a channel.
    pub(crate) fn new(history: Arc<dyn HistoryPort>, channel: Arc<dyn MessagesPort>) -> Self {
        Self { history, channel, agent: OnceLock::new() }
    }

    /// Says whom it is told. The ports are made before the agent is.
    pub(super) fn serve(&self, agent: &Arc<Inner>) {
        // There is one agent to a speaker.
        let _ = self.agent.set(Arc::downgrade(agent));
    }

    fn agent(&self) -> Option<Arc<Inner>> {
        self.agent.get().and_then(Weak::upgrade)
    }

    /// Returns the agent, if it is one that takes messages in.
    fn at_work(&self) -> Result<Arc<Inner>> {
        self.agent().filter(|agent| agent.takes_in).ok_or_else(|| {
            Error::new("no agent takes messages in here")
                .with_code("not_at_work")
                .with_hint("it works where people talk with the agent, such as `nekro chat`")
        })
    }

    async fn say(&self, to: &SessionId, from: &PluginId, message: Message) -> Result<Delivery> {
        // Nothing is kept of a conversation that nobody could see.
        self.channel.reaches(to)?;
        let mut text = message.text.clone();
        for file in &message.files {
            let path = self.keep(to, file).await?;
            text.push_str(&format!("\n[{} ({}, {} bytes)]", path, file.media_type, file.bytes.len()));
        }
        let text = text.trim_start_matches('\n').to_owned();
        let body = Body::Answer {
            plugin: Some(from.clone()),
            model: None,
            text: text.clone(),
            reasoning: String::new(),
            calls: Vec::new(),
        };
        let kept = self.history.append(to, vec![NewMessage { turn: None, hidden: false, body }]).await?;
        let kept = kept.into_iter().next().ok_or_else(|| Error::new("the message was not written"))?;
        if let Err(refused) = self.channel.send(to, from, message).await {
            // Nobody has heard it, and so it was not said.
            self.history.revise(to, kept.number, None, true).await?;
            return Err(refused);
        }
        if let Some(agent) = self.agent() {
            let (session, message, plugin) = (to.clone(), kept.id.clone(), Some(from.clone()));
            agent.kernel.emit(MessageSent { session, message, text, plugin });
        }
        Ok(Delivery::new(kept.id))
    }

    /// Keeps a file in the directory of the conversation, under a name that is free, where its model finds it again.
    async fn keep(&self, session: &SessionId, file: &MessageFile) -> Result<SandboxPath> {
        let agent = self.agent();
        let files = agent.as_ref().and_then(|agent| agent.kernel.ports().get::<dyn FilesPort>().ok());
        let files = files.ok_or_else(|| Error::new("there is no place for files here").with_code("unavailable"))?;
        let place = FilePlace::Exchange(session.clone());
        let (stem, extension) = match file.name.rsplit_once('.') {
            Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
            _ => (file.name.as_str(), String::new()),
        };
        for number in 1..=MOST_OF_ONE_NAME {
            let name = if number == 1 { file.name.clone() } else { format!("{stem}-{number}{extension}") };
            let path: SandboxPath = format!("{SENT}/{name}").parse()?;
            match files.write(&place, &path, file.bytes.clone(), WriteHow::Create).await {
                Ok(_) => return Ok(path),
                Err(error) if error.code() == "exists" => {}
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(format!("{MOST_OF_ONE_NAME} files called `{}` were sent already", file.name))
            .with_code("exists")
            .with_hint("give the file another name"))
    }

    async fn tell(&self, to: SessionId, from: PluginId, text: String, trigger: Trigger) -> Result<Pushed> {
        let agent = self.at_work()?;
        receive::not_inside(&to)?;
        let inbound = Inbound {
            session: to,
            company: Company::Private,
            from: From::System { plugin: Some(from), answer: trigger == Trigger::Answer },
            text,
            files: Vec::new(),
        };
        let received = Machine(agent).receive(inbound).await?;
        let unanswered = match received.fate {
            Fate::Answered(_) => None,
            Fate::Unanswered { reason } => Some(reason.to_owned()),
            Fate::Hidden | Fate::Taken { .. } => Some("a plugin decided that the agent does not see it".to_owned()),
        };
        Ok(Pushed::new(received.message, unanswered))
    }

    async fn wait(&self, to: SessionId, from: PluginId, user: Option<UserId>, mut question: Message) -> Result<Answer> {
        // There are no fields here: what can be said is told in words.
        let words = question.form.as_ref().map(AnswerForm::to_words).unwrap_or_default();
        question.text = format!("{} {words}", question.text).trim_end().to_owned();
        let agent = self.at_work()?;
        receive::not_inside(&to)?;
        // Open before anybody can see it: an answer may come at once.
        let asked = agent.questions.open(&to, user.as_ref(), &from)?;
        drop(agent);
        self.say(&to, &from, question).await?;
        asked.answer().await
    }
}

impl MessagesPort for Speaker {
    fn send(&self, to: &SessionId, from: &PluginId, message: Message) -> BoxFuture<'_, Result<Delivery>> {
        let (to, from) = (to.clone(), from.clone());
        Box::pin(async move { self.say(&to, &from, message).await })
    }

    fn reaches(&self, to: &SessionId) -> Result<()> {
        self.channel.reaches(to)
    }

    fn push(&self, to: &SessionId, from: &PluginId, text: String, trigger: Trigger) -> BoxFuture<'_, Result<Pushed>> {
        Box::pin(self.tell(to.clone(), from.clone(), text, trigger))
    }

    fn ask(&self, to: &SessionId, from: &PluginId, user: Option<&UserId>, question: Message) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(self.wait(to.clone(), from.clone(), user.cloned(), question))
    }
}
