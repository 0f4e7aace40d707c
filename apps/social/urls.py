from __future__ import annotations

from django.urls import path

from apps.social import views

urlpatterns = [
    path("photos/<uuid:pk>/like/", views.like, name="like"),
    path("photos/<uuid:pk>/unlike/", views.unlike, name="unlike"),
    path("photos/<uuid:pk>/comments/", views.comments, name="comments"),
    path("photos/<uuid:pk>/comments/list/", views.comment_list, name="comment_list"),
    path("comments/<int:pk>/delete/", views.comment_delete, name="comment_delete"),
    path("people/<str:username>/follow/", views.follow, name="follow"),
    path("people/<str:username>/unfollow/", views.unfollow, name="unfollow"),
    path("notifications/", views.notifications, name="notifications"),
    path("notifications/seen/", views.notifications_seen, name="notifications_seen"),
    path("notifications/choose/", views.notifications_choose, name="notifications_choose"),
]
