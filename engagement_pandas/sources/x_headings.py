"""The exports of X Analytics: the order of their columns, and their headings by language.

The order is fixed and the names are translated (X's web client; exports of 2015 to 2026). A
language that is not here is read by position.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from engagement_pandas.request.post_files.column_names import key

CONTENT: Final = (
    *("post_id", "date", "text", "link", "impressions", "favorites", "engagements", "bookmarks"),
    *("shares", "user_follows", "replies", "retweets", "profile_visits", "detail_expands"),
    *("url_clicks", "hashtag_clicks", "permalink_clicks"),
)
"""Columns of the content export."""

_CONTENT_HEADINGS: Final[Sequence[str]] = (
    (
        "Post id,Date,Post text,Post Link,Impressions,Likes,Engagements,Bookmarks,Shares,"
        "New follows,"
        "Replies,Reposts,Profile visits,Detail Expands,URL Clicks,Hashtag Clicks,Permalink Clicks"
    ),
    (
        "Post id,Date,Post text,Link,Impressions,Likes,Engagements,Bookmarks,Share,New follows,"
        "Replies,Reposts,Profile visits,Detail expands,Url clicks,Hashtag clicks,Permalink clicks"
    ),
    (
        "ポストID,日付,ポスト本文,ポストのリンク,インプレッション数,いいね,エンゲージメント,"
        "ブックマーク,共有された回数,新しいフォロー,返信,リポスト,プロフィールへのアクセス数,"
        "詳細のクリック数,URLのクリック数,ハッシュタグのクリック数,パーマリンクのクリック数"
    ),
    (
        "Идентификатор поста,Дата,Текст поста,Ссылка на пост,Показы,Нравится,Взаимодействия,"
        "Закладки,Поделились,Новые читатели,Ответы,Репосты,Посещения профиля,"
        "Разворачивания подробных сведений,Клики по URL-адресам,Клики по хештегам,"
        "Клики по постоянным ссылкам"
    ),
    (
        "Post-ID,Datum,Post-Text,Post-Link,Impressions,Gefällt mir,Interaktionen,Lesezeichen,"
        "Mal geteilt,Neue Follower,Antworten,Reposts,Profilbesuche,Detailerweiterungen,URL-Klicks,"
        "Hashtag-Klicks,Permalink-Klicks"
    ),
    (
        ",,,Postar link,Impressões,Curtidas,Engajamentos,Itens salvos,Compartilhamentos,"
        "Novos seguidores,Respostas,Reposts,Visitas ao perfil,Expansões de detalhes,Cliques de URL,"
        "Cliques de hashtag,Cliques de link permanente"
    ),
)

_PLAIN: Final = (
    *("impressions", "engagements", "engagement_rate", "retweets", "replies", "favorites"),
    *("user_profile_clicks", "url_clicks", "hashtag_clicks", "detail_expands"),
    *("permalink_clicks", "app_opens", "app_install_attempts", "user_follows", "email_tweet"),
    *("dial_phone", "media_views", "media_engagements"),
)
BY_TWEET: Final = (
    *("post_id", "link", "text", "time", *_PLAIN),
    *(f"promoted_{name}" for name in _PLAIN),
)
"""Columns of ``tweet_activity_metrics`` by tweet, from 2015-10 on."""

BY_DAY: Final = ("day", "posts_created", *BY_TWEET[4:])
"""Columns of ``daily_tweet_activity_metrics``."""

_PLAIN_EN: Final = (
    "impressions,engagements,engagement rate,retweets,replies,likes,user profile clicks,"
    "url clicks,hashtag clicks,detail expands,permalink clicks,app opens,app installs,follows,"
    "email tweet,dial phone,media views,media engagements"
)
_PLAIN_JA: Final = (
    "インプレッション,エンゲージメント,エンゲージメント率,リツイート,返信,いいね,"
    "ユーザープロフィールクリック,URLクリック数,ハッシュタグクリック,詳細クリック,"
    "固定リンクのクリック数,アプリ表示,アプリインストール,フォローしている,ツイートをメール送信,"
    "ダイアル式電話,メディアの再生数,メディアのエンゲージメント数"
)


def _promoted(plain: str, prefix: str) -> str:
    return ",".join(f"{prefix}{name}" for name in plain.split(","))


_BY_TWEET_HEADINGS: Final[Sequence[str]] = (
    f"Tweet id,Tweet permalink,Tweet text,time,{_PLAIN_EN},{_promoted(_PLAIN_EN, 'promoted ')}",
    (
        "ツイートID,ツイートの固定リンク,ツイート本文,時間,"
        f"{_PLAIN_JA},{_promoted(_PLAIN_JA, 'プロモの')}"
    ),
    (
        "id do Tweet,link permanente do Tweet,texto do Tweet,horário,impressões,engajamentos,,"
        "retweets,respostas,favoritos,cliques no perfil do usuário:,cliques no URL,"
        "cliques em hashtags:"
    ),
    (
        "Identifiant du Tweet,Permalien du Tweet,Texte du Tweet,heure,impressions,engagements,"
        "taux d'engagement,Retweets,réponses,J'aime,clics sur le profil de l'utilisateur,"
        "clics sur l'URL,clics sur le hashtag,ouvertures des détails,clics sur le permalien"
    ),
)
_OLDER: Final = {
    "favorites": "favorites",
    "promoted favorites": "promoted_favorites",
    "embedded media clicks": "media_engagements",
    "promoted embedded media clicks": "promoted_media_engagements",
    "video views": "video_views",
    "promoted video views": "promoted_video_views",
}
"""Headings from before November 2015."""

OVERVIEW: Final = (
    *("day", "impressions", "favorites", "engagements", "bookmarks", "shares", "user_follows"),
    *("unfollows", "replies", "retweets", "profile_visits", "posts_created", "video_views"),
    "media_views",
)
"""Columns of the overview export."""

_OVERVIEW_HEADINGS: Final[Sequence[str]] = (
    (
        "Date,Impressions,Likes,Engagements,Bookmarks,Shares,New follows,Unfollows,Replies,Reposts,"
        "Profile visits,Create Post,Video views,Media views"
    ),
    (
        "Date,インプレッション数,いいね,エンゲージメント,ブックマーク,共有された回数,新しいフォロー,"
        "フォロー解除,返信,リポスト,プロフィールへのアクセス数,ポストを作成,動画再生数,メディアの再生数"
    ),
)


def _names(order: Sequence[str], headings: Sequence[str]) -> dict[str, str]:
    """Return the role of each heading."""
    return {
        key(heading): role
        for line in headings
        for heading, role in zip(line.split(","), order, strict=False)
        if heading
    }


CONTENT_NAMES: Final[Mapping[str, str]] = _names(CONTENT, _CONTENT_HEADINGS)
BY_TWEET_NAMES: Final[Mapping[str, str]] = {
    **_names(BY_TWEET, _BY_TWEET_HEADINGS),
    **{key(heading): role for heading, role in _OLDER.items()},
}
BY_DAY_NAMES: Final[Mapping[str, str]] = {
    **BY_TWEET_NAMES,
    "date": "day",
    "tweetspublished": "posts_created",
}
OVERVIEW_NAMES: Final[Mapping[str, str]] = _names(OVERVIEW, _OVERVIEW_HEADINGS)
